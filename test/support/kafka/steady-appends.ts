import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { appendSurely, appendTo, newEvents } from '../log-events.ts';

/** Appends to a few streams, some events every few milliseconds, until it is stopped. */
export interface SteadyAppends {
  /** Events appended so far. */
  readonly count: number;
  stop(): Promise<void>;
}

export function appendSteadily(log: EventLog, everyMs = 5): SteadyAppends {
  let stopped = false;
  let count = 0;
  const done = (async () => {
    for (let i = 0; !stopped; i += 1) {
      const events = newEvents(1 + (i % 4), { data: { i, filler: 'x'.repeat((i * 37) % 300) } });
      await appendSurely(log, appendTo(`account-${i % 11}`, 'any', events));
      count += events.length;
      await pause(everyMs);
    }
  })();
  return {
    get count() {
      return count;
    },
    stop: () => {
      stopped = true;
      return done;
    },
  };
}
