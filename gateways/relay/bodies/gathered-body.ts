/** Pieces from this size on are kept as they came. */
const LARGE = 32 * 1024;
const SMALLEST_BLOCK = 4 * 1024;
const LARGEST_BLOCK = 64 * 1024;

/**
 * A body in the pieces that it came in, the small ones copied together. Each chunk of a chunked body is an object of its own that keeps all that was
 * read with it: held one by one, a body sent byte by byte takes hundreds of times its size.
 */
export class GatheredBody {
  readonly #pieces: Buffer[] = [];
  #block: Buffer | null = null;
  #filled = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(piece: Buffer): void {
    if (piece.length >= LARGE) {
      this.#close();
      this.#pieces.push(piece);
    } else this.#copy(piece);
    this.#bytes += piece.length;
  }

  /** All that came, in order. */
  pieces(): readonly Buffer[] {
    this.#close();
    return this.#pieces;
  }

  /** What came last: so many bytes, or all there are. */
  last(bytes: number): Buffer {
    const pieces: Buffer[] = this.#block === null ? [] : [this.#block.subarray(0, this.#filled)];
    let held = pieces[0]?.length ?? 0;
    for (let index = this.#pieces.length - 1; index >= 0 && held < bytes; index--) {
      const piece = this.#pieces[index] as Buffer;
      pieces.unshift(piece);
      held += piece.length;
    }
    return Buffer.concat(pieces).subarray(-bytes);
  }

  /** The same in one. */
  whole(): Buffer {
    return Buffer.concat(this.pieces());
  }

  #copy(piece: Buffer): void {
    for (let from = 0; from < piece.length;) {
      const block = (this.#block ??= this.#open(piece.length - from));
      const copied = piece.copy(block, this.#filled, from);
      this.#filled += copied;
      from += copied;
      if (this.#filled === block.length) this.#close();
    }
  }

  /** As large as what is there already, within bounds, so that small bodies take little. */
  #open(wanted: number): Buffer {
    return Buffer.allocUnsafeSlow(Math.min(LARGEST_BLOCK, Math.max(SMALLEST_BLOCK, wanted, this.#bytes)));
  }

  #close(): void {
    if (this.#block !== null && this.#filled > 0) this.#pieces.push(this.#block.subarray(0, this.#filled));
    this.#block = null;
    this.#filled = 0;
  }
}
