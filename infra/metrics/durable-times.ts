import type { DurableTimes } from '../../commands/ports/durable-times.ts';
import { stopwatch } from '../server/stopwatch.ts';
import type { Metrics } from './metrics.ts';

/** Puts on record how long the log takes to make holds and charges durable. */
export const durableTimes = (durable: Metrics['durable']): DurableTimes => ({
  now: () => stopwatch.elapsed(),
  durable: (eventType, ms) => {
    if (eventType === 'QuotaReserved') durable('reserve', ms / 1_000);
    else if (eventType === 'QuotaDebited') durable('charge', ms / 1_000);
  },
});
