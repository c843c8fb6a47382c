import { z } from 'zod';
import type { CachedDocument, CachedKind, DocumentCache } from '../../projections/ports/document-cache.ts';
import type { JsonObject, Position } from '../../schemas/event-envelope.ts';
import type { RedisLink } from './redis-link.ts';
import type { Script } from './script.ts';

const KEPT_MS = 600_000;
/** Up to a fifth less, so that what was put there together does not go together. */
const keptFor = (): number => Math.round(KEPT_MS * (1 - Math.random() / 5));

/** Positions as texts of one length sort as numbers do, also those that a double does not hold. */
const DIGITS = 20;
const textOf = (position: Position): string => position.toString().padStart(DIGITS, '0');

/** `p` and `a` are {@link CachedDocument.position} and `asOf`, `d` is the document. Only ever forwards. */
const PUT: Script = {
  lua: `
local there = redis.call('HMGET', KEYS[1], 'p', 'a')
if there[1] and (there[1] > ARGV[1] or (there[1] == ARGV[1] and there[2] and there[2] > ARGV[2])) then return 0 end
redis.call('HSET', KEYS[1], 'p', ARGV[1], 'a', ARGV[2], 'd', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`,
};

const DROP: Script = {
  lua: `
local there = redis.call('HGET', KEYS[1], 'p')
if there and there < ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`,
};

const Fields = z.tuple([z.string().regex(/^\d{20}$/), z.string().regex(/^\d{20}$/), z.string()]);

const parsed = (reply: unknown): CachedDocument | null => {
  const fields = Fields.safeParse(reply);
  if (!fields.success) return null;
  const [position, asOf, doc] = fields.data;
  try {
    return { position: BigInt(position) as Position, asOf: BigInt(asOf) as Position, doc: JSON.parse(doc) as JsonObject };
  } catch {
    return null;
  }
};

/** So many commands go out before the first of them is waited for. */
const AT_ONCE = 100;
const PAGE = 1_000;

/** Keys and users in Redis, for processes that do not hold them in memory. Holds no password and no API key, only hashes of keys. */
export const redisDocumentCache = (link: RedisLink): DocumentCache => {
  const keyOf = (kind: CachedKind, key: string): string => `${link.prefix}${kind}:${key}`;
  const hashKey = (keyHash: string): string => `${link.prefix}hash:${keyHash}`;
  const usedKey = `${link.prefix}used`;

  const get = async (kind: CachedKind, key: string): Promise<CachedDocument | null> => {
    const name = keyOf(kind, key);
    return parsed(await link.send('documents', name, ['HMGET', name, 'p', 'a', 'd']));
  };
  return {
    get,
    getAll: async (kind, keys) => {
      const found = new Map<string, CachedDocument>();
      for (let from = 0; from < keys.length && link.isReachable(keyOf(kind, keys[from] ?? '')); from += AT_ONCE) {
        const some = keys.slice(from, from + AT_ONCE);
        const cached = await Promise.all(some.map((key) => get(kind, key)));
        cached.forEach((each, index) => {
          if (each !== null) found.set(some[index] ?? '', each);
        });
      }
      return found;
    },
    put: async (kind, key, { position, asOf, doc }) => {
      await link.run('documents', PUT, keyOf(kind, key), [textOf(position), textOf(asOf), JSON.stringify(doc), keptFor()]);
    },
    drop: async (kind, key, position) => {
      await link.run('documents', DROP, keyOf(kind, key), [textOf(position)]);
    },
    tokenOf: async (keyHash) => {
      const name = hashKey(keyHash);
      const tokenId = await link.send('documents', name, ['GET', name]);
      return typeof tokenId === 'string' ? tokenId : null;
    },
    putTokenOf: async (keyHash, tokenId) => {
      const name = hashKey(keyHash);
      await link.send('documents', name, ['SET', name, tokenId, 'PX', String(keptFor())]);
    },
    used: async (keys, most) => {
      const now = String(Date.now());
      for (let from = 0; from < keys.length; from += AT_ONCE) {
        const scored = keys.slice(from, from + AT_ONCE).flatMap((key) => [now, key]);
        if ((await link.send('documents', usedKey, ['ZADD', usedKey, ...scored])) === undefined) return;
      }
      await link.send('documents', usedKey, ['ZREMRANGEBYRANK', usedKey, '0', String(-1 - most)]);
    },
    lastUsed: async (most) => {
      const keys: string[] = [];
      while (keys.length < most) {
        const page = [keys.length, Math.min(most, keys.length + PAGE) - 1].map(String);
        const reply = await link.send('documents', usedKey, ['ZREVRANGE', usedKey, ...page]);
        if (!Array.isArray(reply) || reply.length === 0) break;
        keys.push(...reply.map(String));
      }
      return keys;
    },
  };
};
