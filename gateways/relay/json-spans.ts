/** A value's place in JSON text: bytes from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What one pass over the bytes of a JSON object found. Meaningful only where a JSON parser accepts the same bytes. */
export interface ObjectScan {
  /** In the order of the names asked for; `null` where the object has no such member. Of a repeated member, the last. */
  readonly spans: readonly (Span | null)[];
  /** False when the bytes are not one object from brace to brace. */
  readonly closed: boolean;
  readonly tooDeep: boolean;
  readonly tooMany: boolean;
  /** A member that is there twice. */
  readonly repeated: string | null;
  /** A member that differs from a name asked for by the case of its letters only: other parsers take one for the other. */
  readonly disguised: string | null;
  /** Behind the opening brace. */
  readonly inside: number;
}

export interface ScanLimits {
  readonly depth: number;
  readonly members: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** So far strings are walked; the rest is searched natively, which costs more to begin and less to go on. */
const WALKED = 32;

/** The index behind the closing quote of the string that opens at `open`; -1 when it does not close. */
export const skipString = (bytes: Buffer, open: number): number => {
  let at = open + 1;
  for (;;) {
    const walkedTo = Math.min(bytes.length, at + WALKED);
    while (at < walkedTo) {
      const byte = bytes[at];
      if (byte === QUOTE) return at + 1;
      at += byte === BACKSLASH ? 2 : 1;
    }
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) return -1;
    let slashes = quote;
    while (slashes > at && bytes[slashes - 1] === BACKSLASH) slashes--;
    if (((quote - slashes) & 1) === 0) return quote + 1;
    // Where one quote is escaped the next may be as well: a search for each would take longer than walking.
    at = quote + 1;
  }
};

const skipSpace = (bytes: Buffer, from: number): number => {
  let at = from;
  while (at < bytes.length && (bytes[at] as number) <= 0x20) at++;
  return at;
};

const TOO_DEEP = -2;

/** The index behind the value that begins at `from`; -1 when it does not end, {@link TOO_DEEP} when it nests beyond `depth`. */
const skipValue = (bytes: Buffer, from: number, depth: number): number => {
  const first = bytes[from];
  if (first === QUOTE) return skipString(bytes, from);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= 0x20) break;
    }
    return at;
  }
  let open = 0;
  for (let at = from; at < bytes.length;) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      if (at < 0) return -1;
      continue;
    }
    at++;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++open > depth) return TOO_DEEP;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (--open === 0) return at;
    }
  }
  return -1;
};

/** A member's name as a parser would see it. */
const nameAt = (bytes: Buffer, start: number, end: number): string => {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === BACKSLASH) {
      try {
        return JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string;
      } catch {
        return bytes.toString('utf8', start, end);
      }
    }
    if (byte >= 0x80) return bytes.toString('utf8', start, end);
  }
  return bytes.toString('latin1', start, end);
};

const isEscaped = (bytes: Buffer, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return true;
  return false;
};

const isWrittenAs = (bytes: Buffer, start: number, name: string): boolean => {
  for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name.charCodeAt(at)) return false;
  return true;
};

/** Which of the names, all of them ASCII, stands here letter for letter; -1: none. No text is made of it: most members are among those that are asked for. */
const writtenAmong = (names: readonly string[], bytes: Buffer, start: number, end: number): number => {
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    if (name.length === end - start && isWrittenAs(bytes, start, name)) return index;
  }
  return -1;
};

/** Folds more than `toLowerCase` does: the long s and the Kelvin sign are letters of ASCII to some parsers. */
const folded = (name: string): string => name.toUpperCase().toLowerCase();

const isPlain = (name: string): boolean => /^[a-z0-9_.-]*$/.test(name);

const FEW_MEMBERS = 16;

const NO_OPTIONS = {};

const UNLIMITED: ScanLimits = { depth: Number.MAX_SAFE_INTEGER, members: Number.MAX_SAFE_INTEGER };

/**
 * One pass over the top level of a JSON object, without decoding what it does not need: where the members asked for are,
 * and whether the object is one that two parsers could read in two ways. With `strict`, repeated and disguised members are
 * looked for too.
 */
export const scanObject = (
  bytes: Buffer,
  names: readonly string[],
  options: { readonly from?: number; readonly strict?: ScanLimits } = NO_OPTIONS,
): ObjectScan => {
  const limits = options.strict ?? UNLIMITED;
  const strict = options.strict !== undefined;
  const spans = new Array<Span | null>(names.length).fill(null);
  /** Those that are not asked for. A list for as long as it is short: most bodies have fewer members than a set is worth. */
  let seen: string[] | Set<string> | null = null;
  let repeated: string | null = null;
  let disguised: string | null = null;
  let members = 0;
  let closed = false;
  let tooDeep = false;

  let at = skipSpace(bytes, options.from ?? 0);
  let inside = at;
  if (bytes[at] === OPEN_BRACE) inside = ++at;
  else at = -1;
  while (at >= 0) {
    at = skipSpace(bytes, at);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
    if (bytes[at] === CLOSE_BRACE) {
      // Only a scan of the whole text can say what lies behind the object.
      closed = options.from !== undefined || skipSpace(bytes, at + 1) === bytes.length;
      break;
    }
    if (bytes[at] !== QUOTE) break;
    const nameStart = at + 1;
    at = skipString(bytes, at);
    if (at < 0) break;
    const nameEnd = at - 1;
    at = skipSpace(bytes, at);
    if (bytes[at] !== COLON) break;
    const start = skipSpace(bytes, at + 1);
    at = skipValue(bytes, start, limits.depth);
    if (at < 0) {
      tooDeep = at === TOO_DEEP;
      break;
    }
    if (strict && ++members > limits.members) break;
    const written = writtenAmong(names, bytes, nameStart, nameEnd);
    // A name of no interest is one of those asked for only if it is written otherwise.
    if (written < 0 && !strict && !isEscaped(bytes, nameStart, nameEnd)) continue;
    const name = written < 0 ? nameAt(bytes, nameStart, nameEnd) : (names[written] as string);
    const index = written < 0 ? names.indexOf(name) : written;
    if (index >= 0) {
      if (strict && spans[index] !== null) repeated ??= name;
      spans[index] = { start, end: at };
    } else if (strict) {
      seen ??= [];
      if (Array.isArray(seen)) {
        if (seen.includes(name)) repeated ??= name;
        else seen.push(name);
        if (seen.length > FEW_MEMBERS) seen = new Set(seen);
      } else {
        if (seen.has(name)) repeated ??= name;
        seen.add(name);
      }
      if (!isPlain(name) && names.includes(folded(name))) disguised ??= name;
    }
  }
  return { spans, closed, tooDeep, tooMany: members > limits.members, repeated, disguised, inside };
};

/** Replaces bytes from `start` up to `end`; where both are the same it inserts. */
export interface Edit extends Span {
  readonly text: string;
}

/** The same bytes but for the edits, which must not overlap. */
export const splice = (bytes: Buffer, edits: readonly Edit[]): Buffer => {
  if (edits.length === 0) return bytes;
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    pieces.push(bytes.subarray(at, start), Buffer.from(text));
    at = end;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
};

/** A member of an object: from the quote of its name to behind its value. */
export interface Member extends Span {
  readonly name: string;
  readonly value: Span;
}

/** The members of an object that a JSON parser has accepted, as they stand there. */
export const membersOf = (bytes: Buffer): readonly Member[] => {
  const members: Member[] = [];
  let at = skipSpace(bytes, skipSpace(bytes, 0) + 1);
  while (bytes[at] === QUOTE) {
    const start = at;
    at = skipString(bytes, at);
    const name = nameAt(bytes, start + 1, at - 1);
    const valueStart = skipSpace(bytes, skipSpace(bytes, at) + 1);
    const end = skipValue(bytes, valueStart, Number.MAX_SAFE_INTEGER);
    if (at < 0 || end < 0) break;
    members.push({ name, start, end, value: { start: valueStart, end } });
    at = skipSpace(bytes, end);
    if (bytes[at] !== COMMA) break;
    at = skipSpace(bytes, at + 1);
  }
  return members;
};

/** How many elements the array has that begins at `from`; 0 where there is none. */
export const countElements = (bytes: Buffer, from: number): number => {
  if (bytes[from] !== OPEN_BRACKET) return 0;
  let count = 0;
  for (let at = skipSpace(bytes, from + 1); at < bytes.length && bytes[at] !== CLOSE_BRACKET;) {
    at = skipValue(bytes, at, Number.MAX_SAFE_INTEGER);
    if (at < 0) return count;
    count++;
    at = skipSpace(bytes, at);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return count;
};
