import { randomUUID } from 'node:crypto';
import type { RecordedEvent } from '../../schemas/event-envelope.ts';
import { jsonParameter } from '../../projections/engine/json-parameter.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { recordedFromJson, recordedToJson, type StoredEvent } from './recorded-json.ts';
import { WORK_SCHEMA } from './work-schema.ts';

/** An event that a worker has not finished with: it waits for its time, is being worked on, or is parked. */
export interface NewWork {
  readonly event: RecordedEvent;
  /** Failures so far. */
  readonly attempts: number;
  /** Milliseconds from now; `null` parks it. */
  readonly delayMs: number | null;
  readonly error: string | null;
}

/** Long enough to tell what is wrong, short enough for a table. */
const ERROR_LENGTH = 2_000;

const cut = (error: string | null): string | null => error?.slice(0, ERROR_LENGTH) ?? null;

export const insertWork = async (tx: Sql, worker: string, work: readonly NewWork[]): Promise<void> => {
  if (work.length === 0) return;
  const rows = work.map(({ event, attempts, delayMs, error }) => ({
    event_id: event.eventId,
    stream: event.stream,
    position: event.position.toString(),
    type: event.type,
    event: recordedToJson(event),
    attempts,
    delay: delayMs,
    error: cut(error),
  }));
  await tx.query(
    `INSERT INTO ${WORK_SCHEMA}.work (worker, event_id, stream, position, type, event, attempts, due_at, error, parked_at)
     SELECT $1, event_id, stream, position, type, event, attempts, now() + coalesce(delay, 0) * interval '1 millisecond', error, CASE WHEN delay IS NULL THEN now() END
     FROM jsonb_to_recordset($2::jsonb) AS work(event_id uuid, stream text, position bigint, type text, event jsonb, attempts integer, delay float8, error text)
     ON CONFLICT (worker, event_id) DO NOTHING`,
    [worker, jsonParameter(rows)],
  );
};

/** Which of these streams the worker has unfinished work of. */
export const busyStreams = async (sql: Sql, worker: string, streams: readonly string[]): Promise<ReadonlySet<string>> => {
  const { rows } = await sql.query<{ stream: string }>(
    `SELECT DISTINCT stream FROM ${WORK_SCHEMA}.work WHERE worker = $1 AND stream = ANY($2)`,
    [worker, streams],
  );
  return new Set(rows.map(({ stream }) => stream));
};

export interface ClaimedWork {
  readonly id: bigint;
  readonly claim: string;
  readonly event: RecordedEvent;
  /** This one included. */
  readonly attempts: number;
}

/**
 * The most overdue piece of work that nobody has in hand, for this attempt alone. The attempt counts from here on, so that work which
 * kills its process again and again is parked in the end.
 */
export const claimWork = async (
  sql: Sql,
  worker: string,
  { keepsOrder, claimMs }: { readonly keepsOrder: boolean; readonly claimMs: number },
): Promise<ClaimedWork | null> => {
  const inTurn = keepsOrder
    ? `AND NOT EXISTS (SELECT FROM ${WORK_SCHEMA}.work AS earlier WHERE earlier.worker = w.worker AND earlier.stream = w.stream AND earlier.position < w.position)`
    : '';
  const { rows } = await sql.query<Omit<ClaimedWork, 'event'> & { readonly event: StoredEvent }>(
    `UPDATE ${WORK_SCHEMA}.work SET claim = $2, claimed_until = now() + $3::float8 * interval '1 millisecond', attempts = attempts + 1, done = NULL, total = NULL
     WHERE id = (
       SELECT id FROM ${WORK_SCHEMA}.work AS w
       WHERE worker = $1 AND parked_at IS NULL AND due_at <= now() AND (claimed_until IS NULL OR claimed_until < now()) ${inTurn}
       ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
     )
     RETURNING id, claim, event, attempts`,
    [worker, randomUUID(), claimMs],
  );
  const [row] = rows;
  return row === undefined ? null : { ...row, event: recordedFromJson(row.event) };
};

type Claim = Pick<ClaimedWork, 'id' | 'claim'>;

/** False when somebody else has it by now. */
export const renewClaim = async (sql: Sql, { id, claim }: Claim, claimMs: number): Promise<boolean> => {
  const { rowCount } = await sql.query(
    `UPDATE ${WORK_SCHEMA}.work SET claimed_until = now() + $3::float8 * interval '1 millisecond' WHERE id = $1 AND claim = $2`,
    [id, claim, claimMs],
  );
  return rowCount === 1;
};

export const finishWork = async (sql: Sql, { id, claim }: Claim): Promise<void> => {
  await sql.query(`DELETE FROM ${WORK_SCHEMA}.work WHERE id = $1 AND claim = $2`, [id, claim]);
};

/** Gives it back as it was: the attempt was cut off and does not count. */
export const releaseWork = async (sql: Sql, { id, claim }: Claim): Promise<void> => {
  await sql.query(
    `UPDATE ${WORK_SCHEMA}.work SET claim = NULL, claimed_until = NULL, attempts = attempts - 1 WHERE id = $1 AND claim = $2`,
    [id, claim],
  );
};

/** `delayMs` until the next attempt; `null` parks it. */
export const failWork = async (sql: Sql, { id, claim }: Claim, error: string, delayMs: number | null): Promise<void> => {
  await sql.query(
    `UPDATE ${WORK_SCHEMA}.work
     SET claim = NULL, claimed_until = NULL, error = $3, due_at = now() + coalesce($4::float8, 0) * interval '1 millisecond', parked_at = CASE WHEN $4::float8 IS NULL THEN now() END
     WHERE id = $1 AND claim = $2`,
    [id, claim, cut(error), delayMs],
  );
};

export const showProgress = async (sql: Sql, { id, claim }: Claim, done: number, total: number | null): Promise<void> => {
  await sql.query(`UPDATE ${WORK_SCHEMA}.work SET done = $3, total = $4 WHERE id = $1 AND claim = $2`, [id, claim, done, total]);
};

export interface WorkProgress {
  readonly stream: string;
  readonly done: number;
  readonly total: number | null;
}

/** How far a worker is with what it has in hand of these streams. */
export const readProgress = async (sql: Sql, worker: string, streams: readonly string[]): Promise<readonly WorkProgress[]> => {
  const { rows } = await sql.query<WorkProgress>(
    `SELECT stream, done::float8 AS done, total::float8 AS total FROM ${WORK_SCHEMA}.work WHERE worker = $1 AND stream = ANY($2) AND done IS NOT NULL`,
    [worker, streams],
  );
  return rows;
};

export interface ParkedWork {
  readonly id: bigint;
  readonly worker: string;
  readonly event: RecordedEvent;
  readonly attempts: number;
  readonly error: string;
  readonly parkedAt: string;
}

export interface ParkedWorkFilter {
  readonly id?: bigint;
  readonly worker?: string;
  /** Keyset paging: what lies after this id. */
  readonly after?: bigint;
  readonly limit: number;
}

export const readParkedWork = async (sql: Sql, { id, worker, after, limit }: ParkedWorkFilter): Promise<readonly ParkedWork[]> => {
  const { rows } = await sql.query<Omit<ParkedWork, 'event'> & { readonly event: StoredEvent }>(
    `SELECT id, worker, event, attempts, coalesce(error, '') AS error, parked_at AS "parkedAt" FROM ${WORK_SCHEMA}.work
     WHERE parked_at IS NOT NULL AND ($1::bigint IS NULL OR id = $1) AND ($2::text IS NULL OR worker = $2) AND ($3::bigint IS NULL OR id > $3)
     ORDER BY id LIMIT $4`,
    [id ?? null, worker ?? null, after ?? null, limit],
  );
  return rows.map((row) => ({ ...row, event: recordedFromJson(row.event) }));
};

/** Due at once, with all its attempts before it. False when nothing is parked under the id. */
export const unparkWork = async (sql: Sql, id: bigint): Promise<boolean> => {
  const { rowCount } = await sql.query(
    `UPDATE ${WORK_SCHEMA}.work SET parked_at = NULL, attempts = 0, due_at = now() WHERE id = $1 AND parked_at IS NOT NULL`,
    [id],
  );
  return rowCount === 1;
};

/** Gives it up for good. False when nothing is parked under the id. */
export const discardWork = async (sql: Sql, id: bigint): Promise<boolean> => {
  const { rowCount } = await sql.query(`DELETE FROM ${WORK_SCHEMA}.work WHERE id = $1 AND parked_at IS NOT NULL`, [id]);
  return rowCount === 1;
};

export interface WorkCount {
  readonly worker: string;
  /** To be done, or done again. */
  readonly waiting: bigint;
  readonly parked: bigint;
  /** When the oldest of what waits was recorded; `null` when nothing does. */
  readonly oldest: string | null;
}

export const countWork = async (sql: Sql): Promise<readonly WorkCount[]> => {
  const { rows } = await sql.query<WorkCount>(
    `SELECT worker, count(*) FILTER (WHERE parked_at IS NULL) AS waiting, count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked,
            min(created_at) FILTER (WHERE parked_at IS NULL) AS oldest
     FROM ${WORK_SCHEMA}.work GROUP BY worker`,
  );
  return rows;
};
