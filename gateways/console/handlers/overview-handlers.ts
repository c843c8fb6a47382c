import { isRefusal, refuse } from '../../../schemas/errors.ts';
import type { Handlers } from '../handler.ts';
import { ownerOf, wholeRange } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A chart of more points than this is no chart. */
const MOST_BUCKETS = 1_000;

export const overviewHandlers = ({ reads, clock }: HandlerDeps): Pick<Handlers, 'readOverview' | 'readSpendSeries' | 'readTopModels'> => ({
  readOverview: async ({ caller, query }) => {
    const owner = ownerOf(caller, query);
    if (isRefusal(owner)) return owner;
    const range = wholeRange(query, clock.now(), DAY_MS);
    return isRefusal(range) ? range : reads.overview(owner, range);
  },

  readSpendSeries: async ({ caller, query }) => {
    const owner = ownerOf(caller, query);
    if (isRefusal(owner)) return owner;
    const range = wholeRange(query, clock.now(), 7 * DAY_MS);
    if (isRefusal(range)) return range;
    const bucket = query.bucket ?? (range.to - range.from <= 3 * DAY_MS ? 'hour' : 'day');
    const buckets = (range.to - range.from) / (bucket === 'hour' ? HOUR_MS : DAY_MS);
    if (buckets > MOST_BUCKETS)
      return refuse('invalid_request', `A series has at most ${MOST_BUCKETS} buckets. Take a shorter range, or days.`, { param: 'bucket' });
    return reads.spendSeries(owner, range, bucket, query.by ?? 'model');
  },

  readTopModels: async ({ caller, query }) => {
    const owner = ownerOf(caller, query);
    if (isRefusal(owner)) return owner;
    const range = wholeRange(query, clock.now(), 7 * DAY_MS);
    return isRefusal(range) ? range : reads.topModels(owner, range);
  },
});
