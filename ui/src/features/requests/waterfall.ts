import type { RequestAttempt } from '../../api/requests.ts';

export interface WaterfallBar {
  readonly attempt: RequestAttempt;
  /** Fractions of the whole call's time. */
  readonly start: number;
  readonly width: number;
}

/** Attempts follow one another; what lies between the last one's end and the call's is our own time. */
export const waterfallOf = (attempts: readonly RequestAttempt[], durationMs: number | null): readonly WaterfallBar[] => {
  const spent = attempts.reduce((sum, attempt) => sum + attempt.durationMs, 0);
  const whole = Math.max(1, durationMs ?? 0, spent);
  let at = 0;
  return attempts.map((attempt) => {
    const bar = { attempt, start: at / whole, width: attempt.durationMs / whole };
    at += attempt.durationMs;
    return bar;
  });
};

/** Heights of a histogram's columns as fractions of the tallest. */
export const columnsOf = (
  buckets: readonly { readonly ok: number; readonly failed: number }[],
): readonly { readonly ok: number; readonly failed: number }[] => {
  const tallest = Math.max(1, ...buckets.map((bucket) => bucket.ok + bucket.failed));
  return buckets.map((bucket) => ({ ok: bucket.ok / tallest, failed: bucket.failed / tallest }));
};
