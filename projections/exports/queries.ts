import type { Position } from '../../schemas/event-envelope.ts';
import type { ExportId, UserId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { ExportDocument, exportTable } from './tables.ts';

const documents = (rows: readonly { readonly doc: unknown }[]): readonly ExportDocument[] =>
  rows.map(({ doc }) => ExportDocument.parse(doc));

/** What one user asked for, or with `null` the operator. Newest first; `before`: where the last one seen was requested. */
export const listExports = async (
  sql: Sql,
  requestedBy: UserId | null,
  { before, limit }: { readonly before?: Position; readonly limit: number },
): Promise<readonly ExportDocument[]> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${exportTable}
     WHERE doc->>'requestedBy' IS NOT DISTINCT FROM $1::text AND ($2::bigint IS NULL OR (doc->>'requestedPosition')::bigint < $2)
     ORDER BY (doc->>'requestedPosition')::bigint DESC LIMIT $3`,
    [requestedBy, before ?? null, limit],
  );
  return documents(rows);
};

export const exportById = async (sql: Sql, exportId: ExportId): Promise<ExportDocument | null> => {
  const { rows } = await sql.query<{ doc: unknown }>(`SELECT doc FROM ${exportTable} WHERE key = $1`, [exportId]);
  return documents(rows)[0] ?? null;
};

/** Exports of one user that are not done yet. */
export const countUnfinishedExports = async (sql: Sql, requestedBy: UserId | null): Promise<number> => {
  const { rows } = await sql.query<{ count: bigint }>(
    `SELECT count(*) AS count FROM ${exportTable} WHERE doc->>'state' = 'requested' AND doc->>'requestedBy' IS NOT DISTINCT FROM $1::text`,
    [requestedBy],
  );
  return Number(rows[0]?.count ?? 0);
};

/** Exports whose file is past its time. `now`: ISO 8601. */
export const expiredExports = async (sql: Sql, now: string): Promise<readonly ExportId[]> => {
  const { rows } = await sql.query<{ key: ExportId }>(
    `SELECT key FROM ${exportTable} WHERE doc->>'state' = 'completed' AND (doc->'file'->>'expiresAt') <= $1 ORDER BY key LIMIT 1000`,
    [now],
  );
  return rows.map(({ key }) => key);
};
