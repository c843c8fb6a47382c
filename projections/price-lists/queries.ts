import type { PriceListId } from '../../schemas/ids.ts';
import type { Ratio } from '../../schemas/price.ts';
import type { Instant } from '../../schemas/time.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { PriceListDocument, priceListTable } from './tables.ts';

export interface PriceListSummary {
  readonly priceListId: PriceListId;
  readonly title: string;
  readonly effectiveFrom: Instant;
  readonly asOf: string;
  readonly source: string;
  readonly withdrawn: boolean;
  /** How many models it prices. */
  readonly models: number;
}

/** The list in force is the one that took effect last; of two that took effect together, the one published last. */
const IN_FORCE_FIRST = `doc->>'effectiveFrom' DESC, doc->>'publishedAt' DESC, key DESC`;

/** All lists, those that take effect last first. */
export const listPriceLists = async (sql: Sql): Promise<readonly PriceListSummary[]> => {
  const { rows } = await sql.query<PriceListSummary>(
    `SELECT key AS "priceListId", doc->>'title' AS title, doc->>'effectiveFrom' AS "effectiveFrom", doc->>'asOf' AS "asOf", doc->>'source' AS source,
            (doc->>'withdrawn')::boolean AS withdrawn, jsonb_array_length(doc->'models') AS models
     FROM ${priceListTable} WHERE doc->>'kind' = 'list' ORDER BY ${IN_FORCE_FIRST}`,
  );
  return rows;
};

export const priceListById = async (sql: Sql, priceListId: PriceListId): Promise<PriceListDocument | null> => {
  const { rows } = await sql.query<{ doc: unknown }>(`SELECT doc FROM ${priceListTable} WHERE key = $1`, [priceListId]);
  return rows[0] === undefined ? null : PriceListDocument.parse(rows[0].doc);
};

/** The list that is in force at a moment. */
export const priceListAt = async (sql: Sql, moment: Instant): Promise<PriceListDocument | null> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${priceListTable} WHERE doc->>'kind' = 'list' AND NOT (doc->>'withdrawn')::boolean AND doc->>'effectiveFrom' <= $1 ORDER BY ${IN_FORCE_FIRST} LIMIT 1`,
    [moment],
  );
  return rows[0] === undefined ? null : PriceListDocument.parse(rows[0].doc);
};

/** Groups that were given a ratio; every other pays the list price. */
export const groupRatios = async (sql: Sql): Promise<readonly { readonly group: string; readonly ratio: Ratio }[]> => {
  const { rows } = await sql.query<{ group: string; ratio: Ratio }>(`SELECT doc->>'group' AS "group", (doc->>'ratio')::int AS ratio FROM ${priceListTable} WHERE doc->>'kind' = 'ratio' ORDER BY 1`);
  return rows;
};
