import type {
  EventFilter,
  ExpectedRevision,
  LogMessage,
  NewEvent,
  Position,
  RecordedEvent,
  Revision,
} from '../../schemas/event-envelope.ts';
import type { StreamName } from '../../schemas/ids.ts';

/** Events for one stream, all or nothing. */
export interface StreamAppend {
  readonly stream: StreamName;
  readonly expectedRevision: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/**
 * What became of one {@link StreamAppend}.
 * - `appended`: durable. `repeated` when the very same event ids were already there (a retry), which is as good.
 * - `conflict`: nothing was written; somebody else moved the stream, which now ends at `actual`.
 * - `rejected`: nothing was written and never will be: the append breaks a limit of the log or cannot be stored as given
 *   (`append_malformed`), or there was no room for it in time (`log_busy`, which is worth another try later).
 * - `unknown`: the connection died in between. Resend the identical append until another outcome comes back.
 */
export type AppendOutcome =
  | { readonly outcome: 'appended'; readonly revision: Revision; readonly position: Position; readonly repeated: boolean }
  | { readonly outcome: 'conflict'; readonly actual: Revision | 'no_stream' }
  | {
      readonly outcome: 'rejected';
      readonly reason: 'event_too_large' | 'append_too_large' | 'append_empty' | 'append_malformed' | 'log_busy';
      readonly message: string;
    }
  | { readonly outcome: 'unknown'; readonly cause: Error };

export interface ReadStreamOptions {
  /** First revision to read; 0 unless given. */
  readonly from?: Revision;
  readonly limit?: number;
  readonly direction?: 'forwards' | 'backwards';
}

export interface ReadAllOptions {
  /** Reads what lies *after* this position. */
  readonly after?: Position;
  /** Stops once events lie after this position. */
  readonly upTo?: Position;
  readonly filter?: EventFilter;
  readonly limit?: number;
}

export interface SubscribeOptions {
  /** Yields what lies *after* this position; `START` is everything. */
  readonly after: Position;
  readonly filter?: EventFilter;
  readonly signal: AbortSignal;
  /**
   * Waited for before the store is asked again after it had something new: who has time takes more at once, which costs both less. What this
   * process appended itself comes without asking, and without waiting.
   */
  readonly rest?: () => Promise<void>;
}

/**
 * The append-only log of events: the one source of truth.
 *
 * Commit order is position order: whoever has seen position p will never meet a position below p that is new.
 * Each element of a batch has an outcome of its own, in the order given; one conflict fails nothing else.
 */
export interface EventLog {
  append(batch: readonly StreamAppend[]): Promise<readonly AppendOutcome[]>;
  /** Yields nothing for a stream that does not exist. */
  readStream(stream: StreamName, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;
  /** Catch-up and live in one; reconnects by itself; ends only when the signal aborts. */
  subscribe(options: SubscribeOptions): AsyncIterable<LogMessage>;
  /** The last position of the log; `START` when it is empty. */
  head(): Promise<Position>;
  close(): Promise<void>;
}
