import type { BatchId, TokenId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { BatchDocument, batchTable } from './tables.ts';

/** The batches of one key, newest first; `after`: the last one seen. */
export const listBatches = async (
  sql: Sql,
  tokenId: TokenId,
  { after, limit }: { readonly after: BatchId | null; readonly limit: number },
): Promise<readonly BatchDocument[]> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${batchTable}
     WHERE doc->>'tokenId' = $1
       AND ($2::text IS NULL OR (doc->>'position')::bigint < (SELECT (doc->>'position')::bigint FROM ${batchTable} WHERE key = $2 AND doc->>'tokenId' = $1))
     ORDER BY (doc->>'position')::bigint DESC LIMIT $3`,
    [tokenId, after, limit],
  );
  return rows.map(({ doc }) => BatchDocument.parse(doc));
};

/** Batches that are not settled, the oldest first. */
export const unsettledBatches = async (sql: Sql, limit: number): Promise<readonly BatchId[]> => {
  const { rows } = await sql.query<{ key: BatchId }>(
    `SELECT key FROM ${batchTable} WHERE doc->>'settled' = 'false' ORDER BY (doc->>'position')::bigint LIMIT $1`,
    [limit],
  );
  return rows.map(({ key }) => key);
};
