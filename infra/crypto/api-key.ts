import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ApiKeys } from '../../commands/ports/api-keys.ts';
import type { KeyHash } from '../../schemas/events/token.ts';
import { isBase62At, randomBase62, toBase62 } from './base62.ts';
import type { MasterKey } from './master-key.ts';

/** `sk-` because clients look for it, `ob` so that a leaked key tells scanners and people whose it is. */
const PREFIX = 'sk-ob-';
/** 43 characters of base 62 hold 256 bits. */
const BODY = 43;
/** Six hold a CRC-32. It finds typing errors without asking anybody; it is no security. */
const CHECK = 6;
const LENGTH = PREFIX.length + BODY + CHECK;
const SHAPE = new RegExp(`^${PREFIX}[0-9A-Za-z]{${BODY + CHECK}}$`);
/** How much of a key may be shown ever after: prefix and four characters (24 of 256 bits). */
const SHOWN = PREFIX.length + 4;

const checkOf = (body: string): string => toBase62(crc32(body), CHECK);

const isWellFormed = (key: string): boolean =>
  key.length === LENGTH &&
  SHAPE.test(key) &&
  isBase62At(key, PREFIX.length + BODY, LENGTH, crc32(key.slice(PREFIX.length, PREFIX.length + BODY)));

const BLOCK = 64;

/**
 * HMAC-SHA-256 of well-formed keys, as {@link import('node:crypto').createHmac} makes it, from two one-shot hashes over buffers that are kept:
 * on the way of every call, and a `Hmac` object costs more than the hashing.
 */
const keyedHash = (pepper: Buffer): ((key: string) => KeyHash) => {
  const inner = Buffer.alloc(BLOCK + LENGTH);
  const outer = Buffer.alloc(BLOCK + 32);
  for (let index = 0; index < BLOCK; index++) {
    inner[index] = (pepper[index] ?? 0) ^ 0x36;
    outer[index] = (pepper[index] ?? 0) ^ 0x5c;
  }
  return (key) => {
    inner.write(key, BLOCK, 'latin1');
    outer.write(hash('sha256', inner, 'binary'), BLOCK, 'latin1');
    return hash('sha256', outer, 'hex') as KeyHash;
  };
};

/** Keys of one installation: without its pepper a stolen list of hashes cannot even be compared with a stolen key. */
export const apiKeys = (master: MasterKey): ApiKeys => {
  const hashOf = keyedHash(master.derive('api key pepper'));
  return {
    make: () => {
      const body = randomBase62(BODY);
      const secret = PREFIX + body + checkOf(body);
      return { secret, shown: secret.slice(0, SHOWN), hash: hashOf(secret) };
    },
    hashOf: (presented) => (isWellFormed(presented) ? hashOf(presented) : null),
  };
};
