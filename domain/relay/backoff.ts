/** Milliseconds. */
export interface BackoffPolicy {
  readonly base: number;
  readonly most: number;
}

/**
 * How long to wait before the n-th retry (from 0): exponential with full jitter, so that callers who failed together do
 * not come back together. `random` is in [0, 1).
 */
export const backoff = (retry: number, policy: BackoffPolicy, random: number): number =>
  Math.floor(random * Math.min(policy.most, policy.base * 2 ** Math.min(retry, 30)));

/**
 * Milliseconds that an upstream asked us to wait (`retry-after-ms`, or `retry-after` in seconds or as a date); `null` when it
 * did not say or said nothing sensible.
 */
export const askedToWait = (retryAfterMs: string | undefined, retryAfter: string | undefined, now: number): number | null => {
  if (retryAfterMs !== undefined && /^\d{1,9}(\.\d+)?$/.test(retryAfterMs)) return Math.ceil(Number(retryAfterMs));
  if (retryAfter === undefined) return null;
  if (/^\d{1,6}(\.\d+)?$/.test(retryAfter)) return Math.ceil(Number(retryAfter) * 1_000);
  // A date begins with the name of its day; what else `Date.parse` makes dates of is not one.
  const at = /^[A-Z][a-z]{2,8}, /.test(retryAfter) ? Date.parse(retryAfter) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
};
