/** Constants of murmur2, and the seed that Kafka's clients begin with. */
const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;
const SHIFT = 24;

const utf8 = new TextEncoder();

const scramble = (word: number): number => {
  const mixed = Math.imul(word, MIX);
  return Math.imul(mixed ^ (mixed >>> SHIFT), MIX);
};

const murmur2 = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = SEED ^ bytes.length;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) hash = Math.imul(hash, MIX) ^ scramble(view.getInt32(at, true));
  const rest = bytes.length - at;
  if (rest > 0) {
    for (let index = rest - 1; index >= 0; index--) hash ^= view.getUint8(at + index) << (8 * index);
    hash = Math.imul(hash, MIX);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
};

/** The partition that Kafka's clients choose for a key, of so many: whoever reads the log knows by it which partition an event is in. */
export const partitionOf = (stream: string, partitions: number): number => (murmur2(utf8.encode(stream)) & 0x7fffffff) % partitions;
