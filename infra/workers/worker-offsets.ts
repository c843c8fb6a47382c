import type { Position } from '../../schemas/event-envelope.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { WORK_SCHEMA } from './work-schema.ts';

/** How far a worker is in one partition of a topic. */
export interface WorkerOffset {
  readonly partition: number;
  /** The next record. */
  readonly next: bigint;
  /** Of the topic of events: everything of this partition's streams at or before it is done, or waits, or is parked. */
  readonly position: Position;
}

/** Somebody else has moved the offset: the partition is another member's by now. */
export class OffsetMoved extends Error {
  constructor(worker: string, topic: string, partition: number) {
    super(`another process reads ${topic}[${partition}] for the worker ${worker}`);
    this.name = 'OffsetMoved';
  }
}

export const readOffsets = async (sql: Sql, worker: string, topic: string): Promise<ReadonlyMap<number, WorkerOffset>> => {
  const { rows } = await sql.query<WorkerOffset>(
    `SELECT "partition", next, position FROM ${WORK_SCHEMA}.partition_offset WHERE worker = $1 AND topic = $2`,
    [worker, topic],
  );
  return new Map(rows.map((row) => [row.partition, row]));
};

/** Begins a partition, or begins it anew where Kafka no longer has what came next. */
export const beginOffset = async (sql: Sql, worker: string, topic: string, { partition, next, position }: WorkerOffset): Promise<void> => {
  await sql.query(
    `INSERT INTO ${WORK_SCHEMA}.partition_offset (worker, topic, "partition", next, position) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (worker, topic, "partition") DO UPDATE SET next = excluded.next, position = excluded.position`,
    [worker, topic, partition, next, position],
  );
};

/** Throws {@link OffsetMoved} unless the offset is where it was believed to be. */
export const moveOffset = async (sql: Sql, worker: string, topic: string, from: bigint, to: WorkerOffset): Promise<void> => {
  const { rowCount } = await sql.query(
    `UPDATE ${WORK_SCHEMA}.partition_offset SET next = $5, position = $6 WHERE worker = $1 AND topic = $2 AND "partition" = $3 AND next = $4`,
    [worker, topic, to.partition, from, to.next, to.position],
  );
  if (rowCount !== 1) throw new OffsetMoved(worker, topic, to.partition);
};

/** By worker, the furthest position that any of its partitions has come to. */
export const furthestPositions = async (sql: Sql): Promise<ReadonlyMap<string, Position>> => {
  const { rows } = await sql.query<{ worker: string; position: Position }>(
    `SELECT worker, max(position) AS position FROM ${WORK_SCHEMA}.partition_offset GROUP BY worker`,
  );
  return new Map(rows.map(({ worker, position }) => [worker, position]));
};
