import { randomBytes } from 'node:crypto';
import type { IdSource } from '../commands/ports/id-source.ts';

const ALPHABET = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz', 'latin1');

const TIME_WIDTH = 9;
const RANDOM_WIDTH = 16;

/** Random bytes are fetched in bulk: a call for each id costs more than everything else about it. */
const POOL_BYTES = 4_096;
let pool = Buffer.alloc(0);
let used = 0;

/** Characters are set as bytes and become a string in one go: adding them one by one makes a string for each. */
const scratch = Buffer.alloc(RANDOM_WIDTH);

const randomBody = (): string => {
  if (used + RANDOM_WIDTH > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  // A byte modulo 36 favours four characters slightly; the body keeps over 80 bits all the same.
  for (let index = 0; index < RANDOM_WIDTH; index++) scratch[index] = ALPHABET[(pool[used++] as number) % 36] as number;
  return scratch.toString('latin1');
};

let lastMoment = Number.NaN;
let lastText = '';

/** Many ids are made in one millisecond. */
const timeText = (moment: number): string => {
  if (moment !== lastMoment) {
    lastText = moment.toString(36).padStart(TIME_WIDTH, '0');
    lastMoment = moment;
  }
  return lastText;
};

/** Nine base-36 digits of milliseconds, so that ids sort by age, and 16 random characters (over 80 bits). */
export const timeSortedIds: IdSource = { next: (prefix) => `${prefix}_${timeText(Date.now())}${randomBody()}` };
