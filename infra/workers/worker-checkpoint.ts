import type { Position } from '../../schemas/event-envelope.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { WORK_SCHEMA } from './work-schema.ts';

/** Somebody else follows the log for this worker by now. What was about to be stored is not. */
export class WorkerTakenOver extends Error {
  constructor(worker: string) {
    super(`another process has taken over the worker ${worker}`);
    this.name = 'WorkerTakenOver';
  }
}

/** The right to follow the log for a worker, until it lapses or is taken over. */
export interface Following {
  readonly worker: string;
  readonly epoch: bigint;
  readonly position: Position;
}

/** Begins a worker's checkpoint where it has none. */
export const ensureCheckpoint = async (sql: Sql, worker: string, position: Position): Promise<void> => {
  await sql.query(`INSERT INTO ${WORK_SCHEMA}.checkpoint (worker, position) VALUES ($1, $2) ON CONFLICT (worker) DO NOTHING`, [
    worker,
    position,
  ]);
};

/** By the database's clock, so that processes need not agree on theirs. `null` while another process has it. */
export const takeCheckpoint = async (sql: Sql, worker: string, owner: string, ownMs: number): Promise<Following | null> => {
  const { rows } = await sql.query<Following>(
    `UPDATE ${WORK_SCHEMA}.checkpoint SET owner = $2, owned_until = now() + $3::float8 * interval '1 millisecond', epoch = epoch + 1
     WHERE worker = $1 AND (owned_until IS NULL OR owned_until < now() OR owner = $2)
     RETURNING worker, epoch, position`,
    [worker, owner, ownMs],
  );
  return rows[0] ?? null;
};

/** Keeps the right without moving the checkpoint. Throws {@link WorkerTakenOver}. */
export const keepCheckpoint = async (sql: Sql, { worker, epoch }: Pick<Following, 'worker' | 'epoch'>, ownMs: number): Promise<void> => {
  const { rowCount } = await sql.query(
    `UPDATE ${WORK_SCHEMA}.checkpoint SET owned_until = now() + $3::float8 * interval '1 millisecond' WHERE worker = $1 AND epoch = $2`,
    [worker, epoch, ownMs],
  );
  if (rowCount !== 1) throw new WorkerTakenOver(worker);
};

/** Moves the checkpoint and keeps the right to it. Throws {@link WorkerTakenOver}. */
export const storeCheckpoint = async (
  sql: Sql,
  { worker, epoch }: Pick<Following, 'worker' | 'epoch'>,
  position: Position,
  ownMs: number,
): Promise<void> => {
  const { rowCount } = await sql.query(
    `UPDATE ${WORK_SCHEMA}.checkpoint SET position = $3, owned_until = now() + $4::float8 * interval '1 millisecond', updated_at = now()
     WHERE worker = $1 AND epoch = $2`,
    [worker, epoch, position, ownMs],
  );
  if (rowCount !== 1) throw new WorkerTakenOver(worker);
};

export const releaseCheckpoint = async (sql: Sql, { worker, epoch }: Pick<Following, 'worker' | 'epoch'>): Promise<void> => {
  await sql.query(`UPDATE ${WORK_SCHEMA}.checkpoint SET owner = NULL, owned_until = NULL WHERE worker = $1 AND epoch = $2`, [
    worker,
    epoch,
  ]);
};

export interface WorkerPlace {
  readonly worker: string;
  readonly position: Position;
  /** The process that follows the log for it at the moment; `null` when none does. */
  readonly owner: string | null;
}

export const readCheckpoints = async (sql: Sql): Promise<readonly WorkerPlace[]> => {
  const { rows } = await sql.query<WorkerPlace>(
    `SELECT worker, position, CASE WHEN owned_until > now() THEN owner END AS owner FROM ${WORK_SCHEMA}.checkpoint ORDER BY worker`,
  );
  return rows;
};
