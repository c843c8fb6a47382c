import type { Teller, Told } from '../../../domain/dialects/chat/told.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { GARBLED, type StreamTranslation } from './translated-answer.ts';

const LF = 0x0a;
const NOTHING: readonly Told[] = [];

/** JSON values, one a line, told line by line. */
export class LineTranslation implements StreamTranslation {
  readonly #teller: Teller;
  readonly #largest: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(teller: Teller, largestLine: number) {
    this.#teller = teller;
    this.#largest = largestLine;
  }

  push(piece: Buffer): readonly Told[] | typeof GARBLED {
    const end = piece.lastIndexOf(LF) + 1;
    if (end === 0) return this.#keep(piece) ? NOTHING : GARBLED;
    const lines = Buffer.concat([...this.#pieces, piece.subarray(0, end)]);
    this.#pieces = [];
    this.#bytes = 0;
    const told = this.#tell(lines);
    return told === GARBLED || this.#keep(piece.subarray(end)) ? told : GARBLED;
  }

  end(): readonly Told[] {
    const told = this.#tell(Buffer.concat(this.#pieces));
    const last = this.#teller.end();
    // Half a line says nothing, and what is behind it can only be that the stream was cut.
    return told === GARBLED ? last : [...told, ...last];
  }

  #keep(rest: Buffer): boolean {
    if (rest.length > 0) this.#pieces.push(rest);
    this.#bytes += rest.length;
    return this.#bytes <= this.#largest;
  }

  #tell(lines: Buffer): readonly Told[] | typeof GARBLED {
    const told: Told[] = [];
    for (const line of lines.toString('utf8').split('\n')) {
      if (line.trim() === '') continue;
      const value = parsedJson(line);
      if (value === null) return GARBLED;
      told.push(...this.#teller.push(value));
    }
    return told;
  }
}
