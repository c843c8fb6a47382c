import { crc32 } from 'node:zlib';

/** A message of AWS's `application/vnd.amazon.eventstream`. */
export interface EventFrame {
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Buffer;
}

/** Total length, length of the headers, and a checksum over both. */
const PRELUDE = 12;
const CHECKSUM = 4;

const STRING = 7;

/** How long values of the other types are, by type; the length of bytes (6) stands before them, as that of strings does. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 2],
  [4, 4],
  [5, 8],
  [8, 8],
  [9, 16],
]);

/** Headers that are texts; others are passed over. `null`: they are none that can be read. */
const readHeaders = (bytes: Buffer): ReadonlyMap<string, string> | null => {
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    if (nameEnd + 1 > bytes.length) return null;
    const name = bytes.toString('utf8', at + 1, nameEnd);
    const type = bytes.readUInt8(nameEnd);
    const fixed = FIXED.get(type);
    if (fixed === undefined && type !== STRING && type !== 6) return null;
    if (fixed === undefined && nameEnd + 3 > bytes.length) return null;
    const start = fixed === undefined ? nameEnd + 3 : nameEnd + 1;
    const end = start + (fixed ?? bytes.readUInt16BE(nameEnd + 1));
    if (end > bytes.length) return null;
    if (type === STRING) headers.set(name, bytes.toString('utf8', start, end));
    at = end;
  }
  return headers;
};

/**
 * Cuts bytes into frames, whatever way the network cut them before, and checks every checksum: u32 length of all, u32 length of the headers, u32
 * CRC of these, headers, payload, u32 CRC of everything before. Holds one frame at most, of at most `largest` bytes.
 */
export class FrameSplitter {
  readonly #largest: number;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** How many bytes have to be there before there is anything to do. */
  #wanted = PRELUDE;

  constructor(largest: number) {
    this.#largest = largest;
  }

  /** Whole frames, possibly none; `null`: what came cannot be frames. */
  push(piece: Buffer): readonly EventFrame[] | null {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#wanted) return [];
    let bytes = Buffer.concat(this.#pieces);
    const frames: EventFrame[] = [];
    this.#wanted = PRELUDE;
    while (bytes.length >= PRELUDE) {
      const length = bytes.readUInt32BE(0);
      const headersLength = bytes.readUInt32BE(4);
      if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) return null;
      if (length > this.#largest || PRELUDE + headersLength + CHECKSUM > length) return null;
      if (bytes.length < length) {
        this.#wanted = length;
        break;
      }
      if (crc32(bytes.subarray(0, length - CHECKSUM)) !== bytes.readUInt32BE(length - CHECKSUM)) return null;
      const headers = readHeaders(bytes.subarray(PRELUDE, PRELUDE + headersLength));
      if (headers === null) return null;
      frames.push({ headers, payload: bytes.subarray(PRELUDE + headersLength, length - CHECKSUM) });
      bytes = bytes.subarray(length);
    }
    this.#pieces = bytes.length === 0 ? [] : [bytes];
    this.#bytes = bytes.length;
    return frames;
  }
}
