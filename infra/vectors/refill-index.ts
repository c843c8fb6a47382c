import type { VectorIndex } from '../../commands/ports/vector-index.ts';
import type { KeptVectors } from '../../commands/vectors/kept-vectors.ts';
import { VectorFileDocument, vectorFileTable } from '../../projections/vector-files/tables.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { VECTOR_SCHEMA } from './index-schema.ts';

const AT_ONCE = 20;

/** Files that are said to be indexed and are not in the index, the oldest first. */
const missing = async (sql: Sql): Promise<readonly VectorFileDocument[]> => {
  const { rows: found } = await sql.query<{ there: boolean }>(`SELECT to_regclass('${VECTOR_SCHEMA}.file') IS NOT NULL AS there`);
  const among =
    found[0]?.there === true
      ? `AND NOT EXISTS (SELECT 1 FROM ${VECTOR_SCHEMA}.file f WHERE f.vector_file_id = doc->>'vectorFileId' AND f.complete)
         AND NOT EXISTS (SELECT 1 FROM ${VECTOR_SCHEMA}.removed r WHERE r.id IN (doc->>'vectorFileId', doc->>'storeId', doc->>'fileId'))`
      : '';
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${vectorFileTable} WHERE doc->>'status' = 'completed' ${among} ORDER BY (doc->>'position')::bigint LIMIT ${AT_ONCE}`,
  );
  return rows.map(({ doc }) => VectorFileDocument.parse(doc));
};

/**
 * Fills an index that was lost, or lost some of what it had, from the vectors that are kept; answers with how many files were put there. Nothing
 * is embedded or paid for. Any number of processes may do so at once.
 */
export const refillIndex = async (
  { database, index, kept }: { readonly database: Sql; readonly index: VectorIndex; readonly kept: KeptVectors },
  stopping: AbortSignal,
): Promise<number> => {
  let filled = 0;
  for (;;) {
    const files = await missing(database);
    for (const file of files) {
      if (stopping.aborted) return filled;
      if (await index.fill(file, kept.allVectors(file.vectorFileId))) filled++;
    }
    if (files.length < AT_ONCE) return filled;
  }
};
