/** When work that failed is tried again, and when no more. Times in milliseconds. */
export interface RetryPolicy {
  readonly firstMs: number;
  readonly factor: number;
  readonly longestMs: number;
  /** After so many failures it is parked. */
  readonly attempts: number;
}

/** After 5 s, 30 s, 3 min, 18 min and an hour; parked at the sixth failure. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = { firstMs: 5_000, factor: 6, longestMs: 3_600_000, attempts: 6 };

/** How long to wait after the nth failure; `null`: it is parked. */
export const delayAfter = (failures: number, { firstMs, factor, longestMs, attempts }: RetryPolicy): number | null =>
  failures >= attempts ? null : Math.min(longestMs, firstMs * factor ** (failures - 1));
