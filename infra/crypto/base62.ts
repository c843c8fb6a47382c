import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Bytes from here on would favour the first characters of the alphabet. */
const FAIR_BYTES = 256 - (256 % ALPHABET.length);

/** Uniformly random characters, about 5.95 bits each. */
export const randomBase62 = (length: number): string => {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < FAIR_BYTES && text.length < length) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
};

/** Whether the text has a number in base 62, with leading zeros, from `start` up to `end`. Asked of the key of every call, hence without a text of its own. */
export const isBase62At = (text: string, start: number, end: number, value: number): boolean => {
  let rest = value;
  for (let at = end - 1; at >= start; at--) {
    if (text[at] !== ALPHABET[rest % ALPHABET.length]) return false;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return rest === 0;
};

/** A number in base 62, with leading zeros. */
export const toBase62 = (value: number, length: number): string => {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / ALPHABET.length))
    text = (ALPHABET[rest % ALPHABET.length] ?? '') + text;
  return text;
};
