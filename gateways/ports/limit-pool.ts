/** What one process asks of an allowance that it shares with others. */
export interface LimitAsk {
  /** Whose allowance. */
  readonly subject: string;
  /** `null` is no limit. */
  readonly requestsPerMinute: number | null;
  readonly inFlight: number | null;
  /** Requests that were let in already and are taken in any case; below zero, requests that are given back. */
  readonly owed: number;
  /** Requests to take, as far as there are any. */
  readonly wanted: number;
  /** After an empty answer it is worth asking again when so many are there. */
  readonly worthAsking: number;
  /** Places for calls at once that this process needs in any case, because they run, and those it wants in all. */
  readonly placesNeeded: number;
  readonly placesWanted: number;
}

export interface LimitGrant {
  readonly taken: number;
  /** Milliseconds until asking again is worth it; 0 when all that was wanted was there. */
  readonly waitMs: number;
  /** Places that this process holds now. They lapse by themselves when it is silent. */
  readonly places: number;
}

/** Allowances shared by all processes: each asking is one atomic step. Anybody can do without: then limits hold per process. */
export interface LimitPool {
  isReachable(subject: string): boolean;
  /** `undefined` when there is no answer in time. Never rejects. */
  ask(ask: LimitAsk): Promise<LimitGrant | undefined>;
}
