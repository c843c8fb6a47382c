import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { NOTHING_ELIDED, type Elided } from '../../../domain/tokens/elided.ts';
import type { BodyFile } from '../../ports/body-files.ts';
import { GatheredBody } from './gathered-body.ts';

/** A run of bytes that lies in a file. */
interface Run {
  readonly offset: number;
  readonly length: number;
}

/** How much of a long run stays: who looks at how a picture begins finds it. */
const KEPT = 16 * 1024;

/** What is read from the file at a time. */
const PIECE = 256 * 1024;

const MARK = 'Elided';
const INDEX_DIGITS = 8;

/** The letters of base64 in both of its alphabets: they are themselves in JSON, however often it is quoted. */
const isLetter = new Uint8Array(256);
for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=') isLetter[letter.charCodeAt(0)] = 1;

/** Documents of text by data URL are read on their way, so they stay. A slash may be escaped. */
const TEXT_BEFORE = /data:(?:text\\?\/|application\\?\/json)[^"]{0,64};base64,$/i;
const LOOKED_BACK = 96;

/**
 * A body without its long runs of base64. A mark stands for each, which nobody outside can know; what is said of the body with the marks
 * in it (that it is JSON, what it asks for, how another dialect says it) holds for the whole. The runs are put back as it goes out.
 */
export class Elision implements Elided {
  readonly #mark: string;
  readonly #runs: readonly Run[];
  readonly #file: BodyFile;
  readonly bytes: number;
  /** Of the whole body, where it has to be known again. */
  readonly digest: Buffer | null;
  /** Who may still read: the call, and each request that is on its way. */
  #readers = 1;

  constructor(mark: string, runs: readonly Run[], file: BodyFile, digest: Buffer | null) {
    this.#mark = mark;
    this.#runs = runs;
    this.#file = file;
    this.digest = digest;
    this.bytes = runs.reduce((bytes, { length }) => bytes + length, 0);
  }

  within(text: string): number {
    let bytes = 0;
    for (let at = text.indexOf(this.#mark); at >= 0; at = text.indexOf(this.#mark, at)) {
      at += this.#mark.length;
      bytes += this.#runs[Number.parseInt(text.slice(at, at + INDEX_DIGITS), 16)]?.length ?? 0;
    }
    return bytes;
  }

  /** The bytes with all runs in their places. */
  whole(body: Buffer): { readonly length: number; readonly stream: Readable } {
    const parts: (Buffer | Run)[] = [];
    let length = 0;
    let from = 0;
    for (let at = body.indexOf(this.#mark); at >= 0; at = body.indexOf(this.#mark, from)) {
      const end = at + this.#mark.length + INDEX_DIGITS;
      const run = this.#runs[Number.parseInt(body.toString('latin1', end - INDEX_DIGITS, end), 16)];
      if (run === undefined) throw new Error('a mark stands for nothing');
      parts.push(body.subarray(from, at), run);
      length += at - from + run.length;
      from = end;
    }
    parts.push(body.subarray(from));
    return { length: length + body.length - from, stream: Readable.from(this.#read(parts), { objectMode: false }) };
  }

  /** The call is over. */
  release(): void {
    if (--this.#readers === 0) void this.#file.close();
  }

  async *#read(parts: readonly (Buffer | Run)[]): AsyncGenerator<Buffer> {
    this.#readers++;
    try {
      for (const part of parts) {
        if (Buffer.isBuffer(part)) {
          if (part.length > 0) yield part;
        } else
          for (let at = 0; at < part.length; at += PIECE) yield await this.#file.read(part.offset + at, Math.min(PIECE, part.length - at));
      }
    } finally {
      this.release();
    }
  }
}

/** Takes a body piece by piece and puts its long runs into a file. */
export class Elider {
  readonly #mark: string;
  readonly #file: BodyFile;
  readonly #sum: Hash | null;
  readonly #kept = new GatheredBody();
  readonly #runs: Run[] = [];
  #length = 0;
  #isEliding = false;
  #isTold = false;
  #written = 0;
  #begun = 0;

  /** `nonce`: of the body's own, so that no other text can have a mark in it. */
  constructor(nonce: string, file: BodyFile, isKnownAgain: boolean) {
    this.#sum = isKnownAgain ? createHash('sha256') : null;
    this.#mark = MARK + nonce;
    this.#file = file;
  }

  /** Bytes that are held in memory. */
  held = 0;

  get written(): number {
    return this.#written;
  }

  /** Rejects where the file does. */
  async push(chunk: Buffer): Promise<void> {
    this.#sum?.update(chunk);
    for (let at = 0; at < chunk.length;) {
      const from = at;
      if (this.#isEliding) {
        while (at < chunk.length && isLetter[chunk[at] as number] === 1) at++;
        if (at > from) {
          await this.#file.append(chunk.subarray(from, at));
          this.#written += at - from;
        }
        if (at < chunk.length) this.#close();
        continue;
      }
      while (at < chunk.length && this.#length < KEPT) {
        this.#length = isLetter[chunk[at] as number] === 1 ? this.#length + 1 : 0;
        if (this.#length === 0) this.#isTold = false;
        at++;
      }
      this.#keep(Buffer.from(chunk.subarray(from, at)));
      if (this.#length < KEPT) continue;
      if (!this.#isTold && this.#isText()) this.#isTold = true;
      if (this.#isTold) this.#length = 0;
      else {
        this.#isEliding = true;
        this.#begun = this.#written;
      }
    }
  }

  /** The body with marks in it, and what they stand for. */
  end(): { readonly body: Buffer; readonly elision: Elision } {
    if (this.#isEliding) this.#close();
    return { body: this.#kept.whole(), elision: new Elision(this.#mark, this.#runs, this.#file, this.#sum?.digest() ?? null) };
  }

  /** Whether the run that has just become long is a document of text. */
  #isText(): boolean {
    const before = this.#kept.last(KEPT + LOOKED_BACK).toString('latin1');
    return TEXT_BEFORE.test(before.slice(0, before.length - KEPT).slice(-LOOKED_BACK));
  }

  #keep(bytes: Buffer): void {
    this.#kept.push(bytes);
    this.held += bytes.length;
  }

  #close(): void {
    this.#isEliding = false;
    this.#length = 0;
    if (this.#written === this.#begun) return;
    this.#keep(Buffer.from(this.#mark + this.#runs.length.toString(16).padStart(INDEX_DIGITS, '0')));
    this.#runs.push({ offset: this.#begun, length: this.#written - this.#begun });
  }
}

const elisions = new WeakMap<Buffer, Elision>();

/** What was taken out of a body as it was read. */
export const elidedFrom = (body: Buffer): Elided => elisions.get(body) ?? NOTHING_ELIDED;

export const rememberElision = (body: Buffer, elision: Elision): void => void elisions.set(body, elision);
