import { randomBytes } from 'node:crypto';
import type { IdSource } from '../commands/ports/id-source.ts';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

const inBase36 = (value: number, width: number): string => value.toString(36).padStart(width, '0');

/** Random bytes are fetched in bulk: a call for each id costs more than everything else about it. */
const POOL_BYTES = 4_096;
const BODY_RANDOM = 16;
let pool = Buffer.alloc(0);
let used = 0;

const randomBody = (): string => {
  if (used + BODY_RANDOM > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  let body = '';
  // A byte modulo 36 favours four characters slightly; the body keeps over 80 bits all the same.
  for (let index = 0; index < BODY_RANDOM; index++) body += ALPHABET[(pool[used++] ?? 0) % 36];
  return body;
};

/** Nine base-36 digits of milliseconds, so that ids sort by age, and 16 random characters (over 80 bits). */
export const timeSortedIds: IdSource = { next: (prefix) => `${prefix}_${inBase36(Date.now(), 9)}${randomBody()}` };
