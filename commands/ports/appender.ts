import type { AppendOutcome, StreamAppend } from './event-log.ts';

/** The way into the log for everyone but the log's own tests: one queue per process, which puts appends together. */
export interface Appender {
  append(append: StreamAppend): Promise<AppendOutcome>;
}
