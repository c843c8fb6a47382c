/**
 * How much of a limit that several processes share one of them takes at once: a hundredth. The same may be used before the answer to the
 * first asking is there, so nobody is ever more than a hundredth of the limit over it; a limit below a hundred has no such hundredth
 * and is kept to the letter.
 */
const SHARE = 100;

export const sliceOf = (limit: number): number => Math.max(1, Math.floor(limit / SHARE));

export const creditOf = (limit: number): number => Math.floor(limit / SHARE);

/** Of an allowance that is empty, so much has to be there again before it is worth asking. */
export const worthAsking = (limit: number): number => Math.max(1, Math.floor(limit / (10 * SHARE)));
