import type { z } from 'zod';
import type { ConsoleReads, Owner, TimeRange } from '../../ports/console-reads.ts';
import { fundsOf } from '../../../projections/account-balances/queries.ts';
import { requestSummary, type RequestSummary } from '../../../projections/request-log/queries.ts';
import { usageOverHours } from '../../../projections/usage-hourly/queries.ts';
import type { OverviewFigures } from '../../../schemas/http/overview.ts';
import { instantOf, userOf } from './asked.ts';
import { neverBelowNothing } from './never-below-nothing.ts';
import type { ReadsDeps } from './reads-deps.ts';
import { spendSeries } from './spend-series.ts';

type Figures = z.output<typeof OverviewFigures>['current'];

/** How many models a list of the dearest holds. */
const TOP_MODELS = 10;

const figuresOf = ({ amount, ...figures }: RequestSummary): Figures => ({ ...figures, spend: amount });

export const overviewReads = ({ sql, clock }: ReadsDeps): Pick<ConsoleReads, 'overview' | 'spendSeries' | 'topModels'> => {
  const figuresIn = async (owner: Owner, { from, to }: TimeRange): Promise<Figures> =>
    figuresOf(await requestSummary(sql, { userId: userOf(owner), from: instantOf(from), to: instantOf(to) }));

  return {
    overview: async (owner, { from, to }) => {
      const { balance, held } = await fundsOf(sql, userOf(owner));
      return {
        from: instantOf(from),
        to: instantOf(to),
        balance,
        held: neverBelowNothing(held),
        current: await figuresIn(owner, { from, to }),
        previous: await figuresIn(owner, { from: from - (to - from), to: from }),
      };
    },

    spendSeries: (owner, range, bucket, by) => spendSeries({ sql, clock }, owner, range, bucket, by),

    topModels: async (owner, { from, to }) => {
      const groups = await usageOverHours(sql, { userId: userOf(owner) }, { from: instantOf(from), to: instantOf(to) }, 'model');
      return {
        rows: groups.slice(0, TOP_MODELS).map(({ name, amount, calls, failed, inputTokens, outputTokens }) => ({
          model: name ?? '',
          spend: amount,
          requests: calls,
          failed,
          inputTokens,
          outputTokens,
        })),
      };
    },
  };
};
