import { z } from 'zod';
import { AmountText, MoneyText } from '../money.ts';
import { Instant } from '../time.ts';
import { AfterQuery, RangeQuery, ScopeQuery } from './wire.ts';

/** Without a range: the last 24 hours. */
export const OverviewQuery = z.object({ ...AfterQuery, ...RangeQuery, ...ScopeQuery });

const PeriodFigures = z.object({
  spend: AmountText,
  requests: z.int(),
  failed: z.int(),
  inputTokens: z.int(),
  cachedTokens: z.int(),
  outputTokens: z.int(),
  firstByteMsP50: z.int().nullable(),
  firstByteMsP95: z.int().nullable(),
});

/** The four figures at the top; `previous` is the period of the same length just before. */
export const OverviewFigures = z.object({
  from: Instant,
  to: Instant,
  /** What may still be spent, what calls have set aside included. */
  balance: MoneyText,
  held: AmountText,
  current: PeriodFigures,
  previous: PeriodFigures,
});

/** Ready for a chart: the largest `top` names, and the rest as `other`. */
export const SpendSeriesQuery = z.object({
  ...AfterQuery,
  ...RangeQuery,
  ...ScopeQuery,
  bucket: z.enum(['hour', 'day']).optional(),
  by: z.enum(['model', 'key', 'none']).optional(),
});

export const SpendSeries = z.object({
  from: Instant,
  to: Instant,
  bucket: z.enum(['hour', 'day']),
  /** Beginnings of the buckets, oldest first; the last may still be filling. */
  buckets: z.array(Instant),
  series: z.array(
    z.object({
      /** Model or key id; `null` is everything that the named series leave out. */
      name: z.string().nullable(),
      label: z.string(),
      spend: z.array(AmountText),
      requests: z.array(z.int()),
      total: AmountText,
    }),
  ),
  /** How many names there are in all, the folded ones included. */
  names: z.int(),
});

export const TopModels = z.object({
  rows: z.array(
    z.object({ model: z.string(), spend: AmountText, requests: z.int(), failed: z.int(), inputTokens: z.int(), outputTokens: z.int() }),
  ),
});
