/** When the share of failures alone says that a channel is ill. */
export interface ErrorRatePolicy {
  /** The time that is looked at, in milliseconds. */
  readonly windowMs: number;
  /** Fewer calls than this say nothing. */
  readonly calls: number;
  /** Of all of them, in [0, 1]. */
  readonly share: number;
}

/** How calls to a channel went of late. */
export interface RecentCalls {
  readonly attempts: number;
  readonly failures: number;
  /** Of the answers, on average; `null` without any. */
  readonly meanMs: number | null;
}

export const isFailingRate = ({ attempts, failures }: Pick<RecentCalls, 'attempts' | 'failures'>, policy: ErrorRatePolicy): boolean =>
  attempts >= policy.calls && failures >= attempts * policy.share;
