import type { Hold, Spending } from '../../gateways/ports/spending.ts';
import type { Refusal } from '../../schemas/errors.ts';
import { isRefusal } from '../../schemas/errors.ts';
import type { Metrics } from './metrics.ts';

/** The same spending, with the time that the log takes to make holds and charges durable put on record. */
export const timedSpending = (spending: Spending, durable: Metrics['durable'], elapsed: () => number): Spending => {
  const timed = (hold: Hold | Refusal, since: number): Hold | Refusal => {
    if (!isRefusal(hold)) void hold.durable.then(() => durable('reserve', (elapsed() - since) / 1_000));
    return hold;
  };
  return {
    reserve: (request) => {
      const since = elapsed();
      const answer = spending.reserve(request);
      return answer instanceof Promise ? answer.then((hold) => timed(hold, since)) : timed(answer, since);
    },
    charge: async (hold, charge) => {
      const since = elapsed();
      const answer = await spending.charge(hold, charge);
      durable('charge', (elapsed() - since) / 1_000);
      return answer;
    },
    release: (hold, release) => spending.release(hold, release),
  };
};
