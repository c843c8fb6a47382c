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

/** Where a chunk lies in its text: from `from` up to but without `to`, in UTF-16 units, with no space at either end. */
export interface ChunkSpan {
  readonly from: number;
  readonly to: number;
}

/** What is left of a span without the space at its ends; undefined where nothing is. */
const trimmed = (text: string, from: number, to: number): ChunkSpan | undefined => {
  const span = text.slice(from, to);
  const start = from + span.length - span.trimStart().length;
  const end = from + span.trimEnd().length;
  return start < end ? { from: start, to: end } : undefined;
};

/**
 * Says where to cut a text into chunks of at most `size` tokens, of which each repeats the last `overlap` of the one before it. Cuts are
 * between words where words are no longer than usual. Tokens are reckoned by length, piece by piece, which comes to rather more than a
 * tokeniser's count. Chunks of nothing but space, and of what the one before has, are left out. The same text is
 * always cut alike.
 */
export const chunkSpans = (text: string, { size, overlap }: Chunking): readonly ChunkSpan[] => {
  const pieces = piecesOf(text);
  const spans: ChunkSpan[] = [];
  let first = 0;
  while (first < pieces.length) {
    let tokens = 0;
    let next = first;
    for (; next < pieces.length && tokens + (pieces[next] as Piece).tokens <= size; next++) tokens += (pieces[next] as Piece).tokens;
    // No piece is larger than the smallest chunk; should one be, it is a chunk.
    next = Math.max(next, first + 1);
    const span = trimmed(text, (pieces[first] as Piece).from, (pieces[next - 1] as Piece).to);
    // What only repeats the end of the chunk before, with space behind it, says nothing new.
    if (span !== undefined && span.to > (spans.at(-1)?.to ?? 0)) spans.push(span);
    if (next === pieces.length) break;
    let shared = 0;
    let from = next;
    for (; from > first + 1 && shared + (pieces[from - 1] as Piece).tokens <= overlap; from--) shared += (pieces[from - 1] as Piece).tokens;
    first = from;
  }
  return spans;
};

/** The chunks of a text, in order, cut where {@link chunkSpans} says. */
export const cutText = (text: string, chunking: Chunking): readonly string[] =>
  chunkSpans(text, chunking).map(({ from, to }) => text.slice(from, to));
