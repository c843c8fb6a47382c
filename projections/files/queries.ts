import type { FileId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { FileDocument, fileTable } from './tables.ts';

export interface FilePage {
  readonly purpose: string | null;
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  /** The last one seen. */
  readonly after: FileId | null;
  /** ISO 8601: what expired before it is left out. */
  readonly now: string;
}

/** The files of one key. */
export const listFiles = async (
  sql: Sql,
  tokenId: TokenId,
  { purpose, order, limit, after, now }: FilePage,
): Promise<readonly FileDocument[]> => {
  const [beyond, direction] = order === 'asc' ? ['>', 'ASC'] : ['<', 'DESC'];
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${fileTable}
     WHERE doc->>'tokenId' = $1 AND ($2::text IS NULL OR doc->>'purpose' = $2)
       AND (doc->>'expiresAt' IS NULL OR doc->>'expiresAt' > $3)
       AND ($4::text IS NULL OR (doc->>'position')::bigint ${beyond} (SELECT (doc->>'position')::bigint FROM ${fileTable} WHERE key = $4 AND doc->>'tokenId' = $1))
     ORDER BY (doc->>'position')::bigint ${direction} LIMIT $5`,
    [tokenId, purpose, now, after, limit],
  );
  return rows.map(({ doc }) => FileDocument.parse(doc));
};

/** What the files of one user that are kept here have together, in bytes. */
export const keptBytes = async (sql: Sql, userId: UserId): Promise<number> => {
  const { rows } = await sql.query<{ bytes: bigint | null }>(
    `SELECT sum((doc->>'bytes')::bigint) AS bytes FROM ${fileTable} WHERE doc->>'userId' = $1 AND doc->'kept' = 'true'`,
    [userId],
  );
  return Number(rows[0]?.bytes ?? 0n);
};
