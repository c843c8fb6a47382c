import type { PriceListId } from '../../schemas/ids.ts';
import { ModelPrice, type ModelKind, type Ratio } from '../../schemas/price.ts';
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

/** Which list is in force at a moment. */
export const priceListIdAt = async (sql: Sql, moment: Instant): Promise<PriceListId | null> => {
  const { rows } = await sql.query<{ key: PriceListId }>(
    `SELECT key FROM ${priceListTable} WHERE doc->>'kind' = 'list' AND NOT (doc->>'withdrawn')::boolean AND doc->>'effectiveFrom' <= $1 ORDER BY ${IN_FORCE_FIRST} LIMIT 1`,
    [moment],
  );
  return rows[0]?.key ?? null;
};

/** Whether a list was ever published. */
export const isPriceList = async (sql: Sql, priceListId: PriceListId): Promise<boolean> => {
  const { rowCount } = await sql.query(`SELECT FROM ${priceListTable} WHERE key = $1 AND doc->>'kind' = 'list'`, [priceListId]);
  return rowCount === 1;
};

export interface ModelPriceFilter {
  readonly priceListId: PriceListId;
  /** Part of the model's name. */
  readonly search?: string;
  readonly kind?: ModelKind;
  /** Keyset paging: models whose names come behind this one. */
  readonly after?: string;
  readonly limit: number;
}

/** Prices of a list by the names of their models. */
export const modelPrices = async (
  sql: Sql,
  { priceListId, search, kind, after, limit }: ModelPriceFilter,
): Promise<readonly ModelPrice[]> => {
  const { rows } = await sql.query<{ price: unknown }>(
    `SELECT price FROM ${priceListTable}, jsonb_array_elements(doc->'models') AS price
     WHERE key = $1 AND doc->>'kind' = 'list' AND ($2::text IS NULL OR strpos(lower(price->>'model'), lower($2)) > 0)
       AND ($3::text IS NULL OR price->>'kind' = $3) AND ($4::text IS NULL OR price->>'model' COLLATE "C" > $4)
     ORDER BY price->>'model' COLLATE "C" LIMIT $5`,
    [priceListId, search ?? null, kind ?? null, after ?? null, limit],
  );
  return rows.map(({ price }) => ModelPrice.parse(price));
};

/** What a group pays of the list price; `null` when it was given no ratio. */
export const ratioOfGroup = async (sql: Sql, group: string): Promise<Ratio | null> => {
  const { rows } = await sql.query<{ ratio: Ratio }>(
    `SELECT (doc->>'ratio')::int AS ratio FROM ${priceListTable} WHERE doc->>'kind' = 'ratio' AND doc->>'group' = $1`,
    [group],
  );
  return rows[0]?.ratio ?? null;
};

/** Groups that were given a ratio; every other pays the list price. */
export const groupRatios = async (sql: Sql): Promise<readonly { readonly group: string; readonly ratio: Ratio }[]> => {
  const { rows } = await sql.query<{ group: string; ratio: Ratio }>(
    `SELECT doc->>'group' AS "group", (doc->>'ratio')::int AS ratio FROM ${priceListTable} WHERE doc->>'kind' = 'ratio' ORDER BY 1`,
  );
  return rows;
};
