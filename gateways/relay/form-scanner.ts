/** A part of a form, once its head is read. Places are bytes of the whole body. */
export interface FormPart {
  readonly name: string;
  /** `null`: a field, not a file. */
  readonly filename: string | null;
  readonly type: string | null;
  /** Where its value begins. */
  readonly start: number;
  /** Behind its value; `null` until that is seen. */
  end: number | null;
}

const CRLF = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_BYTES = 8 * 1024;
const MOST_PARTS = 256;

/** The boundary that a content type of a form names; `null` where it is none. */
export const boundaryOf = (contentType: string | undefined): string | null => {
  // That of nearly all calls.
  if (contentType === 'application/json') return null;
  const match = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i.exec(contentType ?? '');
  return match?.[1] ?? match?.[2] ?? null;
};

/** `null`: it is not there. `undefined`: it is there more than once. */
const parameter = (disposition: string, name: string): string | null | undefined => {
  const found = [...disposition.matchAll(new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]*))`, 'gi'))];
  if (found.length > 1) return undefined;
  const [match] = found;
  return match === undefined ? null : (match[1] ?? match[2] ?? '').replace(/\\(.)/g, '$1').replaceAll('%22', '"');
};

/** Finds the parts of a form (RFC 7578) in bytes that come piece by piece, cut anywhere, and keeps none of their values. */
export class FormScanner {
  readonly #delimiter: Buffer;
  #state: 'delimiter' | 'head' | 'value' | 'over' | 'wrong' = 'delimiter';
  /** What may be the beginning of something; its first byte's place is `#at`. The first delimiter has no line end before it. */
  #rest: Buffer = CRLF;
  #at = -CRLF.length;
  readonly parts: FormPart[] = [];

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** All parts have ended. */
  get complete(): boolean {
    return this.#state === 'over';
  }

  /** What came is no form that can be read in one way only. */
  get wrong(): boolean {
    return this.#state === 'wrong';
  }

  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#step());
  }

  /** Whether there may be more to find in what is here. */
  #step(): boolean {
    switch (this.#state) {
      case 'delimiter':
        return this.#findDelimiter();
      case 'head':
        return this.#readHead();
      case 'value':
        return this.#findEnd();
      case 'over':
      case 'wrong':
        this.#drop(this.#rest.length);
        return false;
    }
  }

  #drop(bytes: number): void {
    this.#at += bytes;
    this.#rest = this.#rest.subarray(bytes);
  }

  #fail(): false {
    this.#state = 'wrong';
    this.#rest = Buffer.alloc(0);
    return false;
  }

  /** Only at the very beginning: nothing may stand before the first part. */
  #findDelimiter(): boolean {
    if (this.#rest.length < this.#delimiter.length) return false;
    if (!this.#rest.subarray(0, this.#delimiter.length).equals(this.#delimiter)) return this.#fail();
    this.#drop(this.#delimiter.length);
    this.#state = 'head';
    return true;
  }

  #readHead(): boolean {
    const bytes = this.#rest;
    if (bytes.length < 2) return false;
    if (bytes[0] === 0x2d && bytes[1] === 0x2d) {
      this.#state = 'over';
      return true;
    }
    if (bytes[0] !== 0x0d || bytes[1] !== 0x0a) return this.#fail();
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return bytes.length > HEAD_BYTES ? this.#fail() : false;
    const head = bytes.toString('utf8', 2, end);
    this.#drop(end + HEAD_END.length);
    let disposition: string | null = null;
    let type: string | null = null;
    for (const line of head.split('\r\n')) {
      const colon = line.indexOf(':');
      // A line that goes on with the one before is read in two ways.
      if (colon <= 0 || /^\s/.test(line)) return this.#fail();
      const name = line.slice(0, colon).trim().toLowerCase();
      if (name === 'content-disposition') {
        if (disposition !== null) return this.#fail();
        disposition = line.slice(colon + 1).trim();
      } else if (name === 'content-type') type = line.slice(colon + 1).trim();
    }
    if (disposition === null || !/^form-data\s*;/i.test(disposition)) return this.#fail();
    const name = parameter(disposition, 'name');
    const filename = parameter(disposition, 'filename');
    if (name === null || name === undefined || filename === undefined || this.parts.length >= MOST_PARTS) return this.#fail();
    this.parts.push({ name, filename, type, start: this.#at, end: null });
    // The value may be empty: then the line end behind the head is the delimiter's.
    this.#state = 'value';
    return true;
  }

  #findEnd(): boolean {
    const found = this.#rest.indexOf(this.#delimiter);
    if (found < 0) {
      const kept = Math.min(this.#rest.length, this.#delimiter.length - 1);
      this.#drop(this.#rest.length - kept);
      return false;
    }
    const part = this.parts.at(-1);
    if (part !== undefined) part.end = this.#at + found;
    this.#drop(found + this.#delimiter.length);
    this.#state = 'head';
    return true;
  }
}
