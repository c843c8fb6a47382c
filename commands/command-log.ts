import type { Appender } from './ports/appender.ts';
import type { EventLog } from './ports/event-log.ts';

/** What a command needs of the log: to read streams, and the queue that appends go through. */
export interface CommandLog {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly appender: Appender;
}
