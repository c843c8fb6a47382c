/** When a channel counts as failing, and when it is tried again. Times in milliseconds. */
export interface BreakerPolicy {
  /** Failures in a row that open it. */
  readonly failures: number;
  readonly rest: number;
  /** The rest doubles with every probe that fails, up to this. */
  readonly longestRest: number;
}

/**
 * What this process has seen of a channel. `closed`: calls go through. `open`: none do until `until`; then one call is let
 * through as a probe (`probing`), and decides.
 */
export type Breaker =
  | { readonly state: 'closed'; readonly failures: number }
  | { readonly state: 'open'; readonly until: number; readonly rest: number }
  | { readonly state: 'probing'; readonly since: number; readonly rest: number };

export const CLOSED: Breaker = { state: 'closed', failures: 0 };

/** A breaker that begins at its probe: for a channel that was failing when this process came up. */
export const restingUntil = (until: number, policy: BreakerPolicy): Breaker => ({ state: 'open', until, rest: policy.rest });

/** Whether a call may go to the channel now. A probe that never reported back gives way to another after one rest. */
export const admits = (breaker: Breaker, now: number): boolean => {
  switch (breaker.state) {
    case 'closed':
      return true;
    case 'open':
      return now >= breaker.until;
    case 'probing':
      return now >= breaker.since + breaker.rest;
  }
};

/** To be called when a call goes to the channel. */
export const onAttempt = (breaker: Breaker, now: number): Breaker =>
  breaker.state === 'closed' ? breaker : { state: 'probing', since: now, rest: breaker.rest };

export const onSuccess = (breaker: Breaker): Breaker => (breaker.state === 'closed' && breaker.failures === 0 ? breaker : CLOSED);

export const onFailure = (breaker: Breaker, now: number, policy: BreakerPolicy): Breaker => {
  switch (breaker.state) {
    case 'closed':
      return breaker.failures + 1 >= policy.failures
        ? { state: 'open', until: now + policy.rest, rest: policy.rest }
        : { state: 'closed', failures: breaker.failures + 1 };
    case 'probing': {
      const rest = Math.min(breaker.rest * 2, policy.longestRest);
      return { state: 'open', until: now + rest, rest };
    }
    // A call that was let through before it opened says nothing new.
    case 'open':
      return breaker;
  }
};

/** Opens it whatever it has counted: so many of its calls fail, between others that do not. */
export const onErrorRate = (breaker: Breaker, now: number, policy: BreakerPolicy): Breaker =>
  breaker.state === 'closed' ? restingUntil(now + policy.rest, policy) : breaker;

/** Another process has found the channel failing, or healthy again. The first failure after that is taken for the last that was needed. */
export const onHearsay = (breaker: Breaker, health: 'healthy' | 'failing', now: number, policy: BreakerPolicy): Breaker => {
  if (health === 'healthy') return breaker.state === 'closed' ? breaker : { state: 'closed', failures: policy.failures - 1 };
  return breaker.state === 'closed' ? restingUntil(now + policy.rest, policy) : breaker;
};
