const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const CR_CR = Buffer.from('\r\r');
const NOTHING: Buffer = Buffer.alloc(0);

/** The index behind the first blank line at or after `from`; -1 when there is none yet. Lines end in LF, CRLF or CR, as the format allows. */
export const eventEnd = (bytes: Buffer, from: number): number => {
  let end = -1;
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) end = at + 2;
    else if (bytes[at + 1] === CR && bytes[at + 2] === LF) end = at + 3;
    if (end >= 0) break;
  }
  const carriage = bytes.indexOf(CR_CR, from);
  return carriage >= 0 && (end < 0 || carriage + 2 < end) ? carriage + 2 : end;
};

const isBlankLineBefore = (bytes: Buffer, end: number): boolean => {
  const last = bytes[end - 1];
  if (last === CR) return bytes[end - 2] === CR;
  return last === LF && (bytes[end - 2] === LF || (bytes[end - 2] === CR && bytes[end - 3] === LF));
};

/** The index behind the last blank line; 0 when there is none. */
export const lastEventEnd = (bytes: Buffer): number => {
  if (isBlankLineBefore(bytes, bytes.length)) return bytes.length;
  let end = 0;
  for (let at = bytes.lastIndexOf(LF); at > 0 && end === 0; at = bytes.lastIndexOf(LF, at - 1))
    if (isBlankLineBefore(bytes, at + 1)) end = at + 1;
  const carriage = bytes.lastIndexOf(CR_CR);
  return carriage >= 0 && carriage + 2 > end ? carriage + 2 : end;
};

const lineEnd = (bytes: Buffer, from: number): number => {
  const lf = bytes.indexOf(LF, from);
  const cr = bytes.indexOf(CR, from);
  if (lf < 0 && cr < 0) return bytes.length;
  return lf < 0 || (cr >= 0 && cr < lf) ? cr : lf;
};

const isDataLine = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 0x64 && bytes[at + 1] === 0x61 && bytes[at + 2] === 0x74 && bytes[at + 3] === 0x61 && bytes[at + 4] === 0x3a;

/** Where an event's data lie, when they are on one line, as OpenAI-shaped upstreams always put them; `null` otherwise. */
export const dataSpan = (event: Buffer): { readonly start: number; readonly end: number } | null => {
  let found: { start: number; end: number } | null = null;
  for (let line = 0; line < event.length;) {
    const end = lineEnd(event, line);
    if (isDataLine(event, line)) {
      if (found !== null) return null;
      found = { start: Math.min(line + (event[line + 5] === SPACE ? 6 : 5), end), end };
    }
    line = end + 1;
  }
  return found;
};

/** An event's data as text; lines are joined as the format says. `null` for an event without any: a comment, a heartbeat. */
export const dataOf = (event: Buffer): string | null => {
  const span = dataSpan(event);
  if (span !== null) return event.toString('utf8', span.start, span.end);
  const lines: string[] = [];
  for (const line of event.toString('utf8').split(/\r\n|\n|\r/)) {
    if (line.startsWith('data:')) lines.push(line.startsWith('data: ') ? line.slice(6) : line.slice(5));
  }
  return lines.length === 0 ? null : lines.join('\n');
};

/** What an event is called; empty where it is not. */
export const nameOf = (event: Buffer): string => /^event: ?(.*)$/m.exec(event.toString('utf8'))?.[1]?.trim() ?? '';

/** The event behind which nothing more comes. */
export const DONE = Buffer.from('data: [DONE]\n\n');

/** What its data begin with. */
export const DONE_MARK = Buffer.from('[DONE]');

export const isDone = (data: string): boolean => data.startsWith('[DONE]');

/** The longest blank line but for its last byte: how much of what was kept decides over what comes. */
const SEAM = 2;

/**
 * Cuts a byte stream into whole events, whatever way the network cut it before: what is not whole yet is kept and comes out
 * with its end. Holds one event at most, of at most `largest` bytes.
 */
export class EventSplitter {
  readonly #largest: number;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #tail: Buffer = NOTHING;

  constructor(largest: number) {
    this.#largest = largest;
  }

  /** Whole events, one behind the other, or `null`: none yet. `overflow`: an event is larger than any that makes sense. */
  push(chunk: Buffer): Buffer | null | 'overflow' {
    if (this.#bytes === 0) {
      const end = lastEventEnd(chunk);
      if (end === chunk.length) return chunk;
      return this.#keep(chunk.subarray(end)) ? (end === 0 ? null : chunk.subarray(0, end)) : 'overflow';
    }
    // A blank line may lie across the cut, so the last bytes of what was kept are looked at again.
    const end = lastEventEnd(this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]));
    if (end === 0) return this.#keep(chunk) ? null : 'overflow';
    const cut = this.#bytes + end - this.#tail.length;
    const whole = Buffer.concat([...this.#pieces, chunk]);
    this.#clear();
    return this.#keep(whole.subarray(cut)) ? whole.subarray(0, cut) : 'overflow';
  }

  /** What came last without a blank line behind it. */
  rest(): Buffer {
    const rest = Buffer.concat(this.#pieces);
    this.#clear();
    return rest;
  }

  #keep(piece: Buffer): boolean {
    if (piece.length === 0) return true;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#tail = piece.length >= SEAM ? piece.subarray(-SEAM) : Buffer.concat([this.#tail, piece]).subarray(-SEAM);
    return this.#bytes <= this.#largest;
  }

  #clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.#tail = NOTHING;
  }
}

/** Calls `each` with every event of a run of whole ones, delimiter included. */
export const forEachEvent = (events: Buffer, each: (event: Buffer) => void): void => {
  for (let at = 0; at < events.length;) {
    const end = eventEnd(events, at);
    const stop = end < 0 ? events.length : end;
    each(stop - at === events.length ? events : events.subarray(at, stop));
    at = stop;
  }
};

/** The data of the event whose lines stand between these places; lines end in LF. `null`: it has none. */
const dataBetween = (text: string, from: number, to: number): string | null => {
  let data: string | null = null;
  for (let at = from; at < to;) {
    const lf = text.indexOf('\n', at);
    const end = lf < 0 || lf > to ? to : lf;
    if (text.startsWith('data:', at)) {
      const line = text.slice(Math.min(text[at + 5] === ' ' ? at + 6 : at + 5, end), end);
      data = data === null ? line : `${data}\n${line}`;
    }
    at = end + 1;
  }
  return data;
};

/**
 * Calls `each` with the data of every event of a run of whole ones that has any: the same as {@link dataOf} each, for less, since all of them are decoded
 * at once.
 */
export const forEachData = (events: Buffer, each: (data: string) => void): void => {
  const decoded = events.toString('utf8');
  const text = decoded.includes('\r') ? decoded.replaceAll('\r\n', '\n') : decoded;
  if (text.includes('\r')) {
    forEachEvent(events, (event) => {
      const data = dataOf(event);
      if (data !== null) each(data);
    });
    return;
  }
  for (let at = 0; at < text.length;) {
    const blank = text.indexOf('\n\n', at);
    const end = blank < 0 ? text.length : blank;
    const data = dataBetween(text, at, end);
    if (data !== null) each(data);
    at = end + 2;
  }
};
