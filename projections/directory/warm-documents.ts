import type { CachedDocument, DocumentCache } from '../ports/document-cache.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { tokenLookup } from '../token-lookup/projection.ts';
import { countRows } from './partial-rows.ts';

/** What the cache has of the keys that were used last, and of who owns them. */
export interface WarmDocuments {
  readonly used: readonly string[];
  readonly tokens: ReadonlyMap<string, CachedDocument>;
  readonly users: ReadonlyMap<string, CachedDocument>;
}

export const NOTHING_WARM: WarmDocuments = { used: [], tokens: new Map(), users: new Map() };

/** Where there are more keys than memory is to hold. Asked for before the rows are, so that no transaction waits for the cache. */
export const readWarm = async (sql: Sql, cache: DocumentCache, most: number): Promise<WarmDocuments> => {
  if ((await countRows(sql, tokenLookup)) <= most) return NOTHING_WARM;
  const used = await cache.lastUsed(most);
  const tokens = await cache.getAll('token', used);
  const owners = new Set([...tokens.values()].flatMap(({ doc }) => (typeof doc['userId'] === 'string' ? [doc['userId']] : [])));
  return { used, tokens, users: await cache.getAll('user', [...owners]) };
};
