/** How a call ended, in one word. */
export type CallOutcome = 'answered' | 'refused' | 'upstream_error' | 'client_left' | 'replayed';

export interface FinishedCall {
  readonly route: string;
  /** As our client named it, and only if it is a model that exists: a label must not grow with what people type. */
  readonly model: string;
  readonly channelId: string;
  readonly streamed: boolean;
  readonly status: number;
  readonly outcome: CallOutcome;
  readonly durationMs: number;
  readonly firstByteMs: number | null;
}

/** Counters of the relay. Every method is called on the hot path and returns at once. */
export interface RelayMetrics {
  callStarted(route: string): void;
  callFinished(call: FinishedCall): void;
  attemptFinished(channelId: string, outcome: 'answered' | 'refused' | 'failed' | 'timed_out' | 'aborted', durationMs: number): void;
  /** Realtime sessions that are open: one more, or one less. */
  sessions(change: 1 | -1): void;
  /** Nano-dollars charged, and on what basis. */
  charged(model: string, basis: 'reported' | 'estimated' | 'held', nanoDollars: bigint): void;
}
