import { generousTokens } from '../../domain/tokens/approximate.ts';
import { scaledTokens, type Tokenizer } from '../../domain/tokens/tokenizer.ts';

/** What this needs of a tokeniser. */
export interface Encoder {
  encode(text: string, allowedSpecial: 'all' | string[], disallowedSpecial: 'all' | string[]): number[];
}

/**
 * The tokeniser's time grows with the square of a run without a break, such as 20 000 times the same letter, so a longer
 * run is cut into pieces of this length. A cut adds at most a token.
 */
const LONGEST_RUN = 32;

/** What is tokenised in one question, in characters of the Latin script; beyond it the rest is counted by length. About 150 ms. */
const MOST_WORK = 300_000;
/** The tokeniser is so many times slower with characters that are several bytes. */
const WIDE_WORK = 8;

/** Runs longer than that, of letters or of white space. */
const LONG_RUNS = new RegExp(`\\s{${LONGEST_RUN + 1},}|\\S{${LONGEST_RUN + 1},}`, 'g');

const countPiece = (encoder: Encoder, text: string): number =>
  // What looks like a special token inside a text is text.
  encoder.encode(text, [], []).length;

const countRun = (encoder: Encoder, run: string): number => {
  let tokens = 0;
  for (let at = 0; at < run.length; at += LONGEST_RUN) tokens += countPiece(encoder, run.slice(at, at + LONGEST_RUN));
  return tokens;
};

const countText = (encoder: Encoder, text: string): number => {
  if (text.length <= LONGEST_RUN) return countPiece(encoder, text);
  let tokens = 0;
  let at = 0;
  for (const match of text.matchAll(LONG_RUNS)) {
    if (match.index > at) tokens += countPiece(encoder, text.slice(at, match.index));
    tokens += countRun(encoder, match[0]);
    at = match.index + match[0].length;
  }
  return at < text.length ? tokens + countPiece(encoder, text.slice(at)) : tokens;
};

/** How much of a text is worth so much work, and what is left of it then. */
const within = (text: string, work: number): readonly [length: number, left: number] => {
  let left = work;
  for (let at = 0; at < text.length; at++) {
    left -= text.charCodeAt(at) < 0x80 ? 1 : WIDE_WORK;
    if (left < 0) return [at, 0];
  }
  return [text.length, left];
};

/** Tokens of all texts together, in time that grows with their length and not faster. */
export const countTexts = (encoder: Encoder, texts: readonly string[], tokenizer: Tokenizer): number => {
  let tokens = 0;
  let left = MOST_WORK;
  for (const text of texts) {
    const [length, rest] = within(text, left);
    left = rest;
    const [exact, beyond] = length === text.length ? [text, ''] : [text.slice(0, length), text.slice(length)];
    const counted = (exact === '' ? 0 : countText(encoder, exact)) + (beyond === '' ? 0 : generousTokens(beyond));
    tokens += scaledTokens(counted, tokenizer, Buffer.byteLength(text));
  }
  return tokens;
};
