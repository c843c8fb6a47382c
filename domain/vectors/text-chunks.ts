import type { Chunking } from '../../schemas/events/vector-store.ts';
import { approximateTokens } from '../tokens/approximate.ts';

/** A word with the space behind it, or a part of a long one. No part ends within a character of two units. */
const PIECES = /[^\s]{1,24}\s{0,24}|\s{1,24}/gu;

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly tokens: number;
}

const piecesOf = (text: string): readonly Piece[] => {
  const pieces: Piece[] = [];
  for (const { index, 0: piece } of text.matchAll(PIECES))
    pieces.push({ from: index, to: index + piece.length, tokens: approximateTokens(piece) });
  return pieces;
};

/**
 * Cuts a text into chunks of at most `size` tokens, of which each repeats the last `overlap` of the one before it. Cuts are between words
 * where words are no longer than usual. Tokens are reckoned by length, piece by piece, which comes to rather more than a tokeniser's count.
 * Chunks that are nothing but space are left out. The same text is always cut alike.
 */
export const cutText = (text: string, { size, overlap }: Chunking): readonly string[] => {
  const pieces = piecesOf(text);
  const chunks: string[] = [];
  let first = 0;
  while (first < pieces.length) {
    let tokens = 0;
    let next = first;
    for (; next < pieces.length && tokens + (pieces[next] as Piece).tokens <= size; next++) tokens += (pieces[next] as Piece).tokens;
    // No piece is larger than the smallest chunk; should one be, it is a chunk.
    next = Math.max(next, first + 1);
    const chunk = text.slice((pieces[first] as Piece).from, (pieces[next - 1] as Piece).to).trim();
    if (chunk !== '') chunks.push(chunk);
    if (next === pieces.length) break;
    let shared = 0;
    let from = next;
    for (; from > first + 1 && shared + (pieces[from - 1] as Piece).tokens <= overlap; from--) shared += (pieces[from - 1] as Piece).tokens;
    first = from;
  }
  return chunks;
};
