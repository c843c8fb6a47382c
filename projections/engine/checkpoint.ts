import type { EventId } from '../../schemas/ids.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { Instant } from '../../schemas/time.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { ENGINE_SCHEMA, LIVE_SCHEMA } from './engine-schema.ts';
import { tablesOf, type Projection } from './projection.ts';

export type Build = 'live' | 'shadow';

/** How far one build of one projection has come. */
export interface Checkpoint {
  readonly projection: string;
  readonly version: number;
  readonly build: Build;
  readonly position: Position;
  readonly eventPosition: Position | null;
  readonly eventId: EventId | null;
  readonly epoch: bigint;
  readonly owner: string | null;
  readonly target: Position | null;
  readonly startedAt: string;
  /** Of partitioned tables: rows before it are gone. */
  readonly floor: Instant | null;
  /** What an operator wants to be kept: see `keepPartitions`. */
  readonly keptFrom: Instant | null;
  /** Which handing over to Kafka it follows since; `null`: it follows the log. */
  readonly handedOver: string | null;
}

/** Somebody else has moved the checkpoint: another projector, or an operator. What was about to be written is not. */
export class CheckpointMoved extends Error {
  constructor(projections: readonly string[]) {
    super(`the checkpoint was moved by somebody else: ${projections.join(', ')}`);
    this.name = 'CheckpointMoved';
  }
}

/** The position of one that follows Kafka is the least of its partitions': everything up to there is shown. */
export const readCheckpoints = async (sql: Sql): Promise<readonly Checkpoint[]> => {
  const { rows } = await sql.query<Checkpoint>(
    `SELECT projection, version, build,
            CASE WHEN handed_over IS NULL THEN position ELSE coalesce((SELECT min(o.position) FROM ${ENGINE_SCHEMA}.partition_offset AS o WHERE o.projection = c.projection AND o.version = c.version), position) END AS position,
            event_position AS "eventPosition", event_id AS "eventId", epoch, owner, target, started_at AS "startedAt", floor, kept_from AS "keptFrom", handed_over AS "handedOver"
     FROM ${ENGINE_SCHEMA}.checkpoint AS c ORDER BY projection, version, build`,
  );
  return rows;
};

/** Makes the live tables of projections that have no checkpoint yet, and those whose tables have gone. */
export const ensureLiveTables = async (tx: Sql, projections: readonly Projection[]): Promise<void> => {
  for (const projection of projections) {
    const { name, version } = projection;
    const tables = tablesOf(projection);
    const { rows } = await tx.query<{ ready: boolean }>(
      `SELECT EXISTS (SELECT FROM ${ENGINE_SCHEMA}.checkpoint WHERE projection = $1 AND version = $2 AND build = 'live')
          AND NOT EXISTS (SELECT FROM unnest($3::text[]) AS wanted(name) WHERE to_regclass('${LIVE_SCHEMA}.' || wanted.name) IS NULL) AS ready`,
      [name, version, tables.map((table) => table.name)],
    );
    if (rows[0]?.ready === true) continue;
    await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.checkpoint WHERE projection = $1 AND version = $2 AND build = 'live'`, [name, version]);
    await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.parked_event WHERE projection = $1 AND version = $2`, [name, version]);
    await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.partition_offset WHERE projection = $1 AND version = $2`, [name, version]);
    for (const table of tables) {
      await tx.query(`DROP TABLE IF EXISTS ${LIVE_SCHEMA}.${table.name} CASCADE`);
      for (const statement of table.ddl) await tx.query(statement);
    }
    await tx.query(`INSERT INTO ${ENGINE_SCHEMA}.checkpoint (projection, version, build, position) VALUES ($1, $2, 'live', 0)`, [
      name,
      version,
    ]);
  }
};

/** What a checkpoint is believed to be, and stays unless it is. */
export interface Move {
  readonly projection: { readonly name: string; readonly version: number };
  readonly position: Position;
  readonly epoch: bigint;
}

export interface Destination {
  readonly position: Position;
  /** The last event at or before it; `null` when none was applied. */
  readonly event: { readonly position: Position; readonly eventId: EventId } | null;
}

/**
 * Compare-and-set of several live checkpoints at once, locking them until the transaction ends. Throws
 * {@link CheckpointMoved} unless every one of them was where it was believed to be.
 */
export const advanceLive = async (tx: Sql, moves: readonly Move[], { position, event }: Destination): Promise<void> => {
  const { rows } = await tx.query<{ projection: string }>(
    `UPDATE ${ENGINE_SCHEMA}.checkpoint AS c
     SET position = $5, event_position = coalesce($6, event_position), event_id = coalesce($7, event_id), updated_at = now()
     FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) AS believed(projection, version, position, epoch)
     WHERE c.build = 'live' AND c.projection = believed.projection AND c.version = believed.version AND c.position = believed.position AND c.epoch = believed.epoch AND c.handed_over IS NULL
     RETURNING c.projection`,
    [
      moves.map((move) => move.projection.name),
      moves.map((move) => move.projection.version),
      moves.map((move) => move.position),
      moves.map((move) => move.epoch),
      position,
      event?.position ?? null,
      event?.eventId ?? null,
    ],
  );
  if (rows.length === moves.length) return;
  const moved = new Set(rows.map((row) => row.projection));
  throw new CheckpointMoved(moves.map((move) => move.projection.name).filter((name) => !moved.has(name)));
};
