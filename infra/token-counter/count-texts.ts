import { approximateTokens } from '../../domain/tokens/approximate.ts';

/** What this needs of a tokeniser. */
export interface Encoder {
  encode(text: string, allowedSpecial: 'all' | string[], disallowedSpecial: 'all' | string[]): number[];
}

/**
 * The tokeniser's time grows with the square of a run without a break, such as 20 000 times the same letter, so a longer
 * run is cut into pieces of this length. A cut adds at most a token.
 */
const LONGEST_RUN = 32;

/** Text that is tokenised in one call; beyond it the rest is counted by length. */
const MOST_CHARACTERS = 300_000;

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

/** Tokens of all texts together, in time that grows with their length and not faster. */
export const countTexts = (encoder: Encoder, texts: readonly string[]): number => {
  let tokens = 0;
  let left = MOST_CHARACTERS;
  for (const text of texts) {
    const exact = text.slice(0, left);
    left -= exact.length;
    if (exact !== '') tokens += countText(encoder, exact);
    if (exact.length < text.length) tokens += approximateTokens(text.slice(exact.length));
  }
  return tokens;
};
