import type { BatchId, TokenId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { BatchDocument, batchTable } from './tables.ts';

export interface BatchPage {
  /** Of Anthropic’s form, or of OpenAI’s. */
  readonly form: 'anthropic' | 'openai';
  /** The last one seen. */
  readonly after: BatchId | null;
  /** The first one seen, to go back from. */
  readonly before?: BatchId;
  readonly limit: number;
}

/** The batches of one key that are not deleted, newest first; those nearest to `before` where that is given. */
export const listBatches = async (
  sql: Sql,
  tokenId: TokenId,
  { form, after, before, limit }: BatchPage,
): Promise<readonly BatchDocument[]> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${batchTable}
     WHERE doc->>'tokenId' = $1 AND (doc->>'endpoint' = '/v1/messages') = $4 AND doc->>'deleted' IS NULL
       AND ($2::text IS NULL OR (doc->>'position')::bigint < (SELECT (doc->>'position')::bigint FROM ${batchTable} WHERE key = $2 AND doc->>'tokenId' = $1))
       AND ($5::text IS NULL OR (doc->>'position')::bigint > (SELECT (doc->>'position')::bigint FROM ${batchTable} WHERE key = $5 AND doc->>'tokenId' = $1))
     ORDER BY (doc->>'position')::bigint ${before === undefined ? 'DESC' : 'ASC'} LIMIT $3`,
    [tokenId, after, limit, form === 'anthropic', before ?? null],
  );
  const found = rows.map(({ doc }) => BatchDocument.parse(doc));
  return before === undefined ? found : found.reverse();
};

/** Batches that are not settled, the oldest first. */
export const unsettledBatches = async (sql: Sql, limit: number): Promise<readonly BatchId[]> => {
  const { rows } = await sql.query<{ key: BatchId }>(
    `SELECT key FROM ${batchTable} WHERE doc->>'settled' = 'false' ORDER BY (doc->>'position')::bigint LIMIT $1`,
    [limit],
  );
  return rows.map(({ key }) => key);
};
