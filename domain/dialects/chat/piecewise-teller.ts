import { wordedError } from '../openai/worded-error.ts';
import { isRecord } from '../loose-json.ts';
import { Chunks } from './chunks.ts';
import type { Teller, Told } from './told.ts';

type Json = Readonly<Record<string, unknown>>;

/** What one piece of an answer says, in the hub's words. */
export interface Piece {
  /** The upstream's own; only the first piece's counts. */
  readonly id: string;
  /** Chunks' deltas, in their order. */
  readonly deltas: readonly Json[];
  /** Why the answer ends with this piece; `null`: it goes on. */
  readonly finish: string | null;
  /** Told with the last piece, where it is. */
  readonly usage: Json | null;
}

/** How an upstream's events are read. */
export interface PieceReader {
  /** What went wrong, as a status that means the same; `null`: nothing did. */
  readonly error: (event: Json) => { readonly status: number; readonly message: string } | null;
  /** `null`: the event says nothing of the answer. */
  readonly piece: (event: Json) => Piece | null;
}

/** Tells answers, whole or in pieces of one form, whose last piece says that it is the last. */
export class PiecewiseTeller implements Teller {
  readonly #reader: PieceReader;
  readonly #chunks: Chunks;
  #hasBegun = false;
  #isOver = false;

  /** `created` in seconds since the epoch. */
  constructor(reader: PieceReader, created: number, model: string) {
    this.#reader = reader;
    this.#chunks = new Chunks('', created, model);
  }

  push(event: unknown): readonly Told[] {
    if (!isRecord(event) || this.#isOver) return [];
    const error = this.#reader.error(event);
    if (error !== null) {
      this.#isOver = true;
      return [{ chunk: wordedError(error.status, error) }];
    }
    const piece = this.#reader.piece(event);
    if (piece === null) return ['alive'];
    const told: Told[] = [];
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#chunks.id = `chatcmpl-${piece.id}`;
      told.push(this.#chunks.delta({ role: 'assistant', content: '' }));
    }
    for (const delta of piece.deltas) told.push(this.#chunks.delta(delta));
    if (piece.finish === null) return told.length === 0 ? ['alive'] : told;
    this.#isOver = true;
    told.push(this.#chunks.delta({}, piece.finish));
    if (piece.usage !== null) told.push(this.#chunks.usage(piece.usage));
    return [...told, 'done'];
  }

  /** Nothing is left to say of a stream that did not end. */
  end(): readonly Told[] {
    return [];
  }
}
