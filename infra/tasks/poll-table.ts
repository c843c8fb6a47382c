import { randomUUID } from 'node:crypto';
import { taskTable } from '../../projections/tasks/tables.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import type { TaskId } from '../../schemas/ids.ts';
import { WORK_SCHEMA } from '../workers/work-schema.ts';

const TABLE = `${WORK_SCHEMA}.task_poll`;

export interface ClaimedPoll {
  readonly taskId: TaskId;
  readonly claim: string;
  /** Questions so far, this one included. */
  readonly polls: number;
}

/** Gives every open task a time at which its upstream is asked, and forgets those of tasks that are done. Returns how many are open. */
export const keepPolls = async (sql: Sql, firstMs: number): Promise<number> => {
  await sql.query(
    `INSERT INTO ${TABLE} (task_id, due_at)
     SELECT key, now() + $1::float8 * interval '1 millisecond' FROM ${taskTable} AS task
     WHERE (doc->>'open')::boolean AND NOT EXISTS (SELECT FROM ${TABLE} AS poll WHERE poll.task_id = task.key)
     ON CONFLICT (task_id) DO NOTHING`,
    [firstMs],
  );
  await sql.query(
    `DELETE FROM ${TABLE} AS poll
     WHERE NOT EXISTS (SELECT FROM ${taskTable} AS task WHERE task.key = poll.task_id AND (task.doc->>'open')::boolean)`,
  );
  const { rows } = await sql.query<{ count: bigint }>(`SELECT count(*) AS count FROM ${TABLE}`);
  return Number(rows[0]?.count ?? 0);
};

/** Tasks whose time has come, for this process alone until the claim is over. */
export const claimPolls = async (sql: Sql, most: number, claimMs: number): Promise<readonly ClaimedPoll[]> => {
  const { rows } = await sql.query<ClaimedPoll>(
    `UPDATE ${TABLE} SET claim = $1, claimed_until = now() + $2::float8 * interval '1 millisecond', polls = polls + 1
     WHERE task_id IN (
       SELECT task_id FROM ${TABLE} WHERE due_at <= now() AND (claimed_until IS NULL OR claimed_until < now())
       ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
     )
     RETURNING task_id AS "taskId", claim, polls`,
    [randomUUID(), claimMs, most],
  );
  return rows;
};

/** Lets go of a task until it is due again. Whoever has lost it meanwhile changes nothing. */
export const releasePoll = async (sql: Sql, { taskId, claim }: ClaimedPoll, delayMs: number): Promise<void> => {
  await sql.query(
    `UPDATE ${TABLE} SET claim = NULL, claimed_until = NULL, due_at = now() + $3::float8 * interval '1 millisecond'
     WHERE task_id = $1 AND claim = $2`,
    [taskId, claim, delayMs],
  );
};
