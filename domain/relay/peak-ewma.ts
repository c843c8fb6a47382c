/** How long answers take of late, in milliseconds, as of a moment. */
export interface PeakEwma {
  readonly ms: number;
  readonly at: number;
}

/** After so many milliseconds without news a figure has lost two thirds of its weight. */
const TAU_MS = 10_000;

/** What is left of the figure by now: who is not asked is forgiven, and is asked again. */
export const latencyAt = ({ ms, at }: PeakEwma, now: number): number => (now > at ? ms * Math.exp((at - now) / TAU_MS) : ms);

/** A slower answer counts at once and whole; a faster one moves the figure the more, the older it is. */
export const observe = (before: PeakEwma | null, ms: number, now: number): PeakEwma => {
  if (before === null || ms >= before.ms) return { ms, at: now };
  const kept = now > before.at ? Math.exp((before.at - now) / TAU_MS) : 1;
  return { ms: before.ms * kept + ms * (1 - kept), at: Math.max(now, before.at) };
};
