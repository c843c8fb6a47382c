import type { Position } from '../../schemas/event-envelope.ts';
import type { TaskShape } from '../../schemas/events/task.ts';
import type { ChannelId, TaskId, UserId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { TaskDocument, taskTable } from './tables.ts';

const documents = (rows: readonly { readonly doc: unknown }[]): readonly TaskDocument[] => rows.map(({ doc }) => TaskDocument.parse(doc));

export interface TaskFilter {
  /** `null`: of all users. */
  readonly userId: UserId | null;
  readonly status?: TaskDocument['status'];
  readonly shape?: TaskShape;
  readonly model?: string;
  readonly channelId?: ChannelId;
  readonly withDeleted?: boolean;
  /** Where the last one seen was submitted. */
  readonly before?: Position;
  readonly after?: Position;
  readonly order?: 'asc' | 'desc';
  readonly limit: number;
}

/** Newest first, unless asked otherwise. */
export const listTasks = async (
  sql: Sql,
  { userId, status, shape, model, channelId, withDeleted = false, before, after, order = 'desc', limit }: TaskFilter,
): Promise<readonly TaskDocument[]> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${taskTable}
     WHERE ($1::text IS NULL OR doc->>'userId' = $1) AND ($2::text IS NULL OR doc->>'status' = $2) AND ($3::text IS NULL OR doc->>'shape' = $3)
       AND ($4::text IS NULL OR doc->>'model' = $4) AND ($5::text IS NULL OR doc->>'channelId' = $5) AND ($6 OR NOT (doc->>'deleted')::boolean)
       AND ($7::bigint IS NULL OR (doc->>'submittedPosition')::bigint < $7) AND ($8::bigint IS NULL OR (doc->>'submittedPosition')::bigint > $8)
     ORDER BY (doc->>'submittedPosition')::bigint ${order === 'asc' ? 'ASC' : 'DESC'} LIMIT $9`,
    [userId, status ?? null, shape ?? null, model ?? null, channelId ?? null, withDeleted, before ?? null, after ?? null, limit],
  );
  return documents(rows);
};

/** One task of this user, or with `null` of any. */
export const taskById = async (sql: Sql, taskId: TaskId, userId: UserId | null): Promise<TaskDocument | null> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${taskTable} WHERE key = $1 AND ($2::text IS NULL OR doc->>'userId' = $2)`,
    [taskId, userId],
  );
  return documents(rows)[0] ?? null;
};
