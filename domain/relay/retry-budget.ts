/**
 * Bounds what retries add to an upstream's trouble: every call earns a share of a retry, every retry costs a whole one, so
 * that under a total failure the attempts stay within 1 + `share` times the calls once the savings are used up.
 */
export interface RetryBudgetPolicy {
  readonly share: number;
  readonly mostSaved: number;
}

/** The savings after one more call. */
export const earn = (saved: number, policy: RetryBudgetPolicy): number => Math.min(policy.mostSaved, saved + policy.share);

/** The savings after one more retry; `null` when there is none left to spend. */
export const spendRetry = (saved: number): number | null => (saved < 1 ? null : saved - 1);
