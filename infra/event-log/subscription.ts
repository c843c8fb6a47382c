import { setMaxListeners } from 'node:events';
import type { SubscribeOptions } from '../../commands/ports/event-log.ts';
import type { EventFilter, LogMessage, Position } from '../../schemas/event-envelope.ts';
import { pause, unlessAborted } from './abortable.ts';
import { backoffMs } from './backoff.ts';
import type { Changes } from './changes.ts';
import { toError } from './log-fault.ts';
import type { FaultListener } from './log-fault.ts';
import { STEP_LIMITS } from './log-step.ts';
import type { LogStep } from './log-step.ts';
import type { Tail } from './tail.ts';

/** What a subscription needs of the log it follows. */
export interface LogSource {
  /** What is at hand without asking the store. */
  readonly tail: Pick<Tail, 'step'>;
  readonly changes: Changes;
  readonly onFault: FaultListener;
  /** True once the log was closed: subscriptions end then. */
  readonly closed: boolean;
  /** One bounded read of what lies after a position. */
  step(after: Position, filter: EventFilter | undefined): Promise<LogStep>;
  /** Called while somebody follows the log, so that announcements from outside this process come in; returns the way to stop. */
  watch(): () => void;
}

/**
 * The log ends before the position that a reader has already seen: it was cut, or is another log. Going on would silently skip events
 * that get those positions anew.
 */
export class LogBehindReader extends Error {
  constructor(after: Position, head: Position) {
    super(`A reader has seen position ${after}, but the log ends at ${head}: it has lost events or is not the log that was read.`);
    this.name = 'LogBehindReader';
  }
}

/**
 * Follows a log from a position: what is there, then what comes, each event once and in order. Nothing is read ahead of the consumer
 * but one bounded step; while there is nothing new it sleeps until an announcement.
 *
 * @throws LogBehindReader when the log has lost events that the reader has seen.
 */
export async function* follow(
  source: LogSource,
  { after, filter, signal, rest }: SubscribeOptions,
): AsyncGenerator<LogMessage, void, undefined> {
  // One signal often ends many subscriptions, each with a listener of its own while it waits; that is no leak to warn of.
  setMaxListeners(0, signal);
  const unwatch = source.watch();
  try {
    let position = after;
    let announced: Position | undefined;
    // As of the last look at the store: what is at hand says nothing of what others appended, and may end before it.
    let { version } = source.changes;
    // The last look at the store found all there was, and something new in it.
    let isFed = false;
    for (let failures = 0; !signal.aborted && !source.closed;) {
      let step = source.tail.step(position, filter, STEP_LIMITS.events);
      if (step === undefined && isFed && rest !== undefined) {
        isFed = false;
        await unlessAborted(rest(), signal);
        continue;
      }
      if (step === undefined) {
        // Noted before looking: what is announced while we look must make us look again.
        ({ version } = source.changes);
        try {
          step = await unlessAborted(source.step(position, filter), signal);
          isFed = step !== undefined && step.events.length > 0 && step.through === step.head;
        } catch (thrown) {
          if (source.closed) return;
          source.onFault({ what: 'read_failed', error: toError(thrown) });
          await pause(backoffMs(failures++), signal);
          continue;
        }
      }
      if (step === undefined) return;
      failures = 0;
      if (step.head < position) throw new LogBehindReader(position, step.head);
      const { events, through, head } = step;
      const passedOver = through > (events.at(-1)?.position ?? position);
      position = through;
      if (events.length > 0) yield { kind: 'events', events };
      if (signal.aborted) return;
      if (passedOver) yield { kind: 'checkpoint', position };
      if (through !== head) continue;
      if (announced !== position) {
        announced = position;
        yield { kind: 'caughtUp', position };
      }
      await source.changes.after(version, { filter, position }, signal);
    }
  } finally {
    unwatch();
  }
}
