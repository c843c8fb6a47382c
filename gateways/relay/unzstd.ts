import { Decompress } from 'fzstd';

/** What every decoder takes, by RFC 8878 (3.1.1.1.2). The library sets a window aside whole, before it has seen any content. */
const LARGEST_WINDOW = 8 * 1024 * 1024;
const CHECKSUM_BYTES = 4;
const MAGIC = 0xfd2fb528;
const SHORTEST_FRAME = 9;

/** The window that a frame asks for by its header (RFC 8878, 3.1.1.1): for one in a single segment that is its content. */
const windowOf = (frame: Buffer): number => {
  const descriptor = frame.readUInt8(4);
  if ((descriptor & 0x20) === 0) {
    const window = frame.readUInt8(5);
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  // The identifier of a dictionary, of 0, 1, 2 or 4 bytes, stands in front.
  const at = 5 + ((1 << (descriptor & 3)) >> 1);
  switch (descriptor >> 6) {
    case 0:
      return frame.readUInt8(at);
    case 1:
      return frame.readUInt16LE(at) + 256;
    case 2:
      return frame.readUInt32LE(at);
    default:
      return Number(frame.readBigUInt64LE(at));
  }
};

/** Told instead of a body. */
export const ZSTD_TOO_LARGE = Symbol('more than is taken');

/** Ends the library's loop from within its callback. */
class Enough extends Error {}

/**
 * One Zstandard frame, for Node.js before 22.15, which has none itself: in JavaScript, stopped as soon as there is more than is taken. Throws on
 * what is no frame, on more than one, and on a window larger than any decoder has to take. Holds up everybody else meanwhile, some
 * 20 ms for a megabyte.
 */
export const unzstd = (body: Buffer, most: number): Buffer | typeof ZSTD_TOO_LARGE => {
  if (body.length < SHORTEST_FRAME || body.readUInt32LE(0) !== MAGIC) throw new Error('no frame of Zstandard');
  const window = windowOf(body);
  const isContent = (body.readUInt8(4) & 0x20) !== 0;
  if (isContent && window > most) return ZSTD_TOO_LARGE;
  if (window > LARGEST_WINDOW) throw new Error('its window is too large');
  const pieces: Buffer[] = [];
  let bytes = 0;
  let isWhole = false;
  const stream = new Decompress((piece, isLast) => {
    bytes += piece.length;
    if (bytes > most) throw new Enough();
    if (isLast === true) isWhole = true;
    else pieces.push(Buffer.from(piece));
  });
  const push = stream.push.bind(stream);
  // The library calls itself for what follows a frame, whose header nobody has looked at.
  stream.push = (rest, isLast) => {
    if (rest.length > CHECKSUM_BYTES) throw new Error('more than one frame');
    push(rest, isLast);
  };
  try {
    push(body, true);
  } catch (thrown) {
    if (thrown instanceof Enough) return ZSTD_TOO_LARGE;
    throw thrown;
  }
  if (!isWhole) throw new Error('it ends in the middle');
  return Buffer.concat(pieces);
};
