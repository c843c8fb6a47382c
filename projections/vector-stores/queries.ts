import type { TokenId, VectorStoreId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { VectorStoreDocument, vectorStoreTable } from './tables.ts';

/** Between two that were seen: behind `after`, before `before`, in the order asked for. */
export interface Window<Id extends string> {
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  readonly after: Id | null;
  readonly before: Id | null;
}

/** The vector stores of one key. */
export const listVectorStores = async (
  sql: Sql,
  tokenId: TokenId,
  { order, limit, after, before }: Window<VectorStoreId>,
): Promise<readonly VectorStoreDocument[]> => {
  const [beyond, short, direction] = order === 'asc' ? ['>', '<', 'ASC'] : ['<', '>', 'DESC'];
  const place = (parameter: string): string =>
    `(SELECT (doc->>'position')::bigint FROM ${vectorStoreTable} WHERE key = ${parameter} AND doc->>'tokenId' = $1)`;
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${vectorStoreTable}
     WHERE doc->>'tokenId' = $1
       AND ($2::text IS NULL OR (doc->>'position')::bigint ${beyond} ${place('$2')})
       AND ($3::text IS NULL OR (doc->>'position')::bigint ${short} ${place('$3')})
     ORDER BY (doc->>'position')::bigint ${direction} LIMIT $4`,
    [tokenId, after, before, limit],
  );
  return rows.map(({ doc }) => VectorStoreDocument.parse(doc));
};
