import type { TokenId, UserId } from '../../schemas/ids.ts';
import type { Instant } from '../../schemas/time.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { TokenDocument, tokenTable } from './tables.ts';

export interface TokenFilter {
  /** Whose keys; `'all'` is for administrators. */
  readonly userId: UserId | 'all';
  readonly status?: 'active' | 'disabled' | 'revoked' | 'exhausted' | 'expired';
  /** Part of the name, or the beginning of the key or its id. */
  readonly search?: string;
  /** The moment by which a key has expired or has not. */
  readonly now: Instant;
  /** Keyset paging: keys older than this one. */
  readonly before?: TokenId;
  readonly limit: number;
}

/** The gravest of what stands in a key's way, in the order in which a caller is told. */
const STATUS = `CASE WHEN (doc->>'revoked')::boolean THEN 'revoked' WHEN (doc->>'disabled')::boolean THEN 'disabled'
  WHEN (doc->>'expiresAt')::timestamptz <= $3 THEN 'expired' WHEN (doc->>'exhausted')::boolean THEN 'exhausted' ELSE 'active' END`;

/** Keys, newest first: ids sort by the time of their making. */
export const tokens = async (sql: Sql, { userId, status, search, now, before, limit }: TokenFilter): Promise<readonly TokenDocument[]> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${tokenTable}
     WHERE ($1 = 'all' OR doc->>'userId' = $1) AND ($2::text IS NULL OR ${STATUS} = $2)
       AND ($4::text IS NULL OR strpos(lower(doc->>'name'), lower($4)) > 0 OR starts_with(doc->>'keyPrefix', $4) OR starts_with(key, $4))
       AND ($5::text IS NULL OR key < $5)
     ORDER BY key DESC LIMIT $6`,
    [userId, status ?? null, now, search ?? null, before ?? null, limit],
  );
  return rows.map(({ doc }) => TokenDocument.parse(doc));
};

/** One key, if it is the user's. */
export const tokenById = async (sql: Sql, userId: UserId | 'all', tokenId: TokenId): Promise<TokenDocument | null> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${tokenTable} WHERE key = $1 AND ($2 = 'all' OR doc->>'userId' = $2)`,
    [tokenId, userId],
  );
  return rows[0] === undefined ? null : TokenDocument.parse(rows[0].doc);
};

/** What keys are called, for lists that name them; of the user's keys only. */
export const tokenNames = async (sql: Sql, userId: UserId | 'all', tokenIds: readonly TokenId[]): Promise<ReadonlyMap<TokenId, string>> => {
  const { rows } = await sql.query<{ key: TokenId; name: string }>(
    `SELECT key, doc->>'name' AS name FROM ${tokenTable} WHERE key = ANY($1) AND ($2 = 'all' OR doc->>'userId' = $2)`,
    [tokenIds, userId],
  );
  return new Map(rows.map(({ key, name }) => [key, name]));
};

export const countTokens = async (sql: Sql, userId: UserId | 'all'): Promise<number> => {
  const { rows } = await sql.query<{ count: bigint }>(
    `SELECT count(*) AS count FROM ${tokenTable} WHERE ($1 = 'all' OR doc->>'userId' = $1)`,
    [userId],
  );
  return Number(rows[0]?.count ?? 0);
};
