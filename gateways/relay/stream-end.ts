import type { z } from 'zod';
import type { ErrorCode } from '../../schemas/errors.ts';
import type { Attempt } from '../../schemas/events/lease.ts';

/**
 * How a stream ended.
 *
 * | end           | what happened                                                         | what the client gets behind what it has |
 * |---------------|-----------------------------------------------------------------------|------------------------------------------|
 * | `done`        | `[DONE]` came, or usage or a finish reason and then a clean end       | usage with cost if asked, `[DONE]`       |
 * | `broken`      | the connection died, or ended before anything said that it was over   | an error event, no `[DONE]`              |
 * | `error_event` | the upstream sent an error in the middle                              | that error, as it came                   |
 * | `silent`      | nothing came for longer than a stream may be silent                   | an error event                           |
 * | `too_long`    | it ran longer than a stream may                                       | an error event                           |
 * | `garbled`     | an event larger than any that makes sense                             | an error event                           |
 * | `unread`      | the client read nothing for too long                                  | its connection is cut                    |
 * | `client_left` | the client closed its connection; see `readOn`                        | nothing: it is gone                      |
 * | `shutdown`    | this process has to end                                               | an error event                           |
 *
 * Whatever the end, the call is charged by the last usage that the upstream reported; where it reported none, by a count of
 * the prompt and of what was produced, marked as an estimate; where what it reported cannot be (negative, fractional, not
 * a number), the hold is charged and flagged. Where nothing at all was produced and the client had not left, nothing is.
 */
export type StreamEnd = 'done' | 'broken' | 'error_event' | 'silent' | 'too_long' | 'garbled' | 'unread' | 'client_left' | 'shutdown';

/** Whether it ended on the client's side: nobody was there to read it, or nobody did. */
export const endedByClient = (end: StreamEnd): boolean => end === 'client_left' || end === 'unread';

/** What the end says of the attempt that the stream came of. */
export const outcomeOfEnd = (end: StreamEnd): z.infer<typeof Attempt>['outcome'] => {
  if (end === 'done') return 'answered';
  if (endedByClient(end) || end === 'shutdown') return 'aborted';
  return end === 'silent' || end === 'too_long' ? 'timed_out' : 'failed';
};

const ERRORS: { readonly [E in StreamEnd]: ErrorCode | null } = {
  done: null,
  error_event: null,
  broken: 'upstream_failed',
  silent: 'upstream_timed_out',
  too_long: 'upstream_timed_out',
  garbled: 'upstream_garbled',
  unread: null,
  client_left: null,
  shutdown: 'shutting_down',
};

/** What is left for us to tell the client, if anything: an upstream's own error it has. */
export const errorToTell = (end: StreamEnd): ErrorCode | null => ERRORS[end];

/** For the log: what was wrong with a stream, if anything. */
export const errorOfEnd = (end: StreamEnd): ErrorCode | null => (end === 'error_event' ? 'upstream_failed' : ERRORS[end]);
