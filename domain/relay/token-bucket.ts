/** An allowance that refills steadily: `level` at time `at` (milliseconds). */
export interface TokenBucket {
  readonly level: number;
  readonly at: number;
}

/** How much the bucket holds now, given what it refills per millisecond and what it can hold. */
export const levelOf = (bucket: TokenBucket, now: number, perMs: number, capacity: number): number => {
  // A clock that jumped back gives nothing and takes nothing.
  const passed = now > bucket.at ? now - bucket.at : 0;
  const level = bucket.level + passed * perMs;
  return level < capacity ? level : capacity;
};

/** Milliseconds until the bucket holds one again. */
export const waitForOne = (level: number, perMs: number): number => (level >= 1 ? 0 : Math.ceil((1 - level) / perMs));
