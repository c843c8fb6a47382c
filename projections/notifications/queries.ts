import type { Position } from '../../schemas/event-envelope.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { NotificationDocument, notificationTable } from './tables.ts';

/** Whose notifications: those of one user, with those of all administrators where the user is one. `null` is an administrator without a name. */
export interface NotificationReader {
  readonly userId: UserId | null;
  readonly isAdministrator: boolean;
}

/** Of the reader's, by `$1` and `$2`. Written so that each part can use its own index. */
const OF_READER = `(doc->'audience'->>'userId' = $1 OR ($2::boolean AND doc->'audience'->>'kind' = 'administrators'))`;

const parametersOf = ({ userId, isAdministrator }: NotificationReader): readonly unknown[] => [userId ?? '', isAdministrator];

/** Newest first. `before`: where the last one seen was raised. */
export const listNotifications = async (
  sql: Sql,
  reader: NotificationReader,
  { unread = false, before, limit }: { readonly unread?: boolean; readonly before?: Position; readonly limit: number },
): Promise<readonly NotificationDocument[]> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${notificationTable}
     WHERE ${OF_READER} AND (NOT $3::boolean OR NOT doc->'readBy' ? $1) AND ($4::bigint IS NULL OR (doc->>'raisedPosition')::bigint < $4)
     ORDER BY (doc->>'raisedPosition')::bigint DESC LIMIT $5`,
    [...parametersOf(reader), unread, before ?? null, limit],
  );
  return rows.map(({ doc }) => NotificationDocument.parse(doc));
};

export const countUnread = async (sql: Sql, reader: NotificationReader): Promise<number> => {
  const { rows } = await sql.query<{ count: bigint }>(
    `SELECT count(*) AS count FROM ${notificationTable} WHERE ${OF_READER} AND NOT doc->'readBy' ? $1`,
    parametersOf(reader),
  );
  return Number(rows[0]?.count ?? 0);
};
