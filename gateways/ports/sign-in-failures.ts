/** How failures to sign in slow further attempts down. */
export interface SignInPace {
  /** Failures that cost nothing: people mistype. */
  readonly free: number;
  /** The wait doubles with each further failure, up to this. */
  readonly longestMs: number;
}

/** Failures to sign in, counted by all processes together. Nothing rejects. */
export interface SignInFailures {
  /** Milliseconds that have to pass first; 0 when none do, and then one failure more is counted. `undefined`: no answer. */
  begin(who: string, pace: SignInPace): Promise<number | undefined>;
  /** One attempt is not counted after all. */
  forgive(who: string): Promise<void>;
  forget(who: string): Promise<void>;
}
