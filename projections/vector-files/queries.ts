import type { FileId, VectorBatchId, VectorStoreId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import type { Window } from '../vector-stores/queries.ts';
import { VectorFileDocument, vectorFileTable, type VectorFileStatus } from './tables.ts';

export interface VectorFilePage extends Window<FileId> {
  readonly status: VectorFileStatus | null;
  readonly batchId: VectorBatchId | null;
}

/** The files of one store. */
export const listVectorFiles = async (
  sql: Sql,
  storeId: VectorStoreId,
  { status, batchId, order, limit, after, before }: VectorFilePage,
): Promise<readonly VectorFileDocument[]> => {
  const [beyond, short, direction] = order === 'asc' ? ['>', '<', 'ASC'] : ['<', '>', 'DESC'];
  const place = (parameter: string): string =>
    `(SELECT (doc->>'position')::bigint FROM ${vectorFileTable} WHERE doc->>'storeId' = $1 AND doc->>'fileId' = ${parameter})`;
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${vectorFileTable}
     WHERE doc->>'storeId' = $1
       AND ($2::text IS NULL OR doc->>'status' = $2) AND ($3::text IS NULL OR doc->>'batchId' = $3)
       AND ($4::text IS NULL OR (doc->>'position')::bigint ${beyond} ${place('$4')})
       AND ($5::text IS NULL OR (doc->>'position')::bigint ${short} ${place('$5')})
     ORDER BY (doc->>'position')::bigint ${direction} LIMIT $6`,
    [storeId, status, batchId, after, before, limit],
  );
  return rows.map(({ doc }) => VectorFileDocument.parse(doc));
};

/** Files by their status, and what they take. */
export interface VectorFileCounts {
  readonly in_progress: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly bytes: number;
}

export const NO_VECTOR_FILES: VectorFileCounts = { in_progress: 0, completed: 0, failed: 0, cancelled: 0, bytes: 0 };

const countsBy = async (
  sql: Sql,
  member: 'storeId' | 'batchId',
  ids: readonly string[],
): Promise<ReadonlyMap<string, VectorFileCounts>> => {
  const { rows } = await sql.query<{ id: string; status: VectorFileStatus; files: bigint; bytes: bigint }>(
    `SELECT doc->>'${member}' AS id, doc->>'status' AS status, count(*) AS files, sum((doc->>'bytes')::bigint) AS bytes
     FROM ${vectorFileTable} WHERE doc->>'${member}' = ANY ($1) GROUP BY 1, 2`,
    [[...ids]],
  );
  const counts = new Map<string, VectorFileCounts>();
  for (const { id, status, files, bytes } of rows) {
    const known = counts.get(id) ?? NO_VECTOR_FILES;
    counts.set(id, { ...known, [status]: Number(files), bytes: known.bytes + Number(bytes) });
  }
  return counts;
};

export const countsOfStores = (sql: Sql, storeIds: readonly VectorStoreId[]): Promise<ReadonlyMap<string, VectorFileCounts>> =>
  countsBy(sql, 'storeId', storeIds);

export const countsOfBatch = async (sql: Sql, batchId: VectorBatchId): Promise<VectorFileCounts> =>
  (await countsBy(sql, 'batchId', [batchId])).get(batchId) ?? NO_VECTOR_FILES;

/** Wherever a file is. */
export const storesOfFile = async (sql: Sql, fileId: FileId): Promise<readonly VectorFileDocument[]> => {
  const { rows } = await sql.query<{ doc: unknown }>(`SELECT doc FROM ${vectorFileTable} WHERE doc->>'fileId' = $1`, [fileId]);
  return rows.map(({ doc }) => VectorFileDocument.parse(doc));
};
