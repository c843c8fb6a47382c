import type { EventFilter, LogMessage, Position, RecordedEvent } from '../../schemas/event-envelope.ts';

/** What projections need of the event log, and all they may touch of it. */
export interface EventFeed {
  readAll(options?: {
    readonly after?: Position;
    readonly upTo?: Position;
    readonly filter?: EventFilter;
    readonly limit?: number;
  }): AsyncIterable<RecordedEvent>;
  /**
   * Catch-up and live in one, in log order; may deliver an event again after its connection broke. Ends only when the signal aborts. `rest` may be waited
   * for before the log is asked again after it had something new.
   */
  subscribe(options: {
    readonly after: Position;
    readonly filter?: EventFilter;
    readonly signal: AbortSignal;
    readonly rest?: () => Promise<void>;
  }): AsyncIterable<LogMessage>;
  head(): Promise<Position>;
}
