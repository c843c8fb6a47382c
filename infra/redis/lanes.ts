const SLOTS = 16_384;
/** Enough that the part of a cluster which is away is told from the rest, few enough to watch each. */
const CLUSTER_LANES = 16;

/** CRC-16/XMODEM, by which a Redis cluster spreads its keys. */
const crc16 = (text: string): number => {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? (crc << 1) & 0xffff : ((crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc;
};

/** What of a key decides where it is: the part in braces, if there is one. */
const tagOf = (key: string): string => {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
};

/** Keys that share their fate: all of one server, or those of neighbouring slots of a cluster. */
export interface Lanes {
  readonly count: number;
  laneOf(key: string): number;
  /** A key of the lane. */
  probeKey(lane: number, prefix: string): string;
}

export const ONE_LANE: Lanes = { count: 1, laneOf: () => 0, probeKey: (_lane, prefix) => `${prefix}probe` };

const laneOfSlot = (key: string): number => Math.floor((crc16(tagOf(key)) % SLOTS) / (SLOTS / CLUSTER_LANES));

export const clusterLanes = (): Lanes => {
  const tags: string[] = [];
  for (let tag = 0, found = 0; found < CLUSTER_LANES; tag++) {
    const lane = laneOfSlot(String(tag));
    if (tags[lane] !== undefined) continue;
    tags[lane] = String(tag);
    found++;
  }
  return { count: CLUSTER_LANES, laneOf: laneOfSlot, probeKey: (lane, prefix) => `${prefix}probe{${tags[lane] ?? ''}}` };
};
