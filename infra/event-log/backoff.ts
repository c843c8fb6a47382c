const FIRST_MS = 25;
const MAX_MS = 2_000;

/** How long to wait before try number `attempt` (from 0) to reach a store that is away: doubling, capped, and spread so that processes do not return in step. */
export const backoffMs = (attempt: number): number => Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempt, 16)) * (0.5 + Math.random() / 2);
