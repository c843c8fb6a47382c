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

/** A number in base 62, with leading zeros. */
export const toBase62 = (value: number, length: number): string => {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / ALPHABET.length))
    text = (ALPHABET[rest % ALPHABET.length] ?? '') + text;
  return text;
};
