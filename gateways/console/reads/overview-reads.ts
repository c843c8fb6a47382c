import type { z } from 'zod';
import { dayOf, endOfDay } from '../../../domain/ledger/time-window.ts';
import { accountBalance } from '../../../projections/account-balances/queries.ts';
import { trialBalance } from '../../../projections/journal/queries.ts';
import { requestSummary } from '../../../projections/request-log/queries.ts';
import { tokenNames } from '../../../projections/token-lookup/queries.ts';
import { usageByDay } from '../../../projections/usage-daily/queries.ts';
import { usageByHour, usageOverHours } from '../../../projections/usage-hourly/queries.ts';
import type { UsageGroup } from '../../../projections/usage/usage-groups.ts';
import type { OverviewFigures, SpendSeries } from '../../../schemas/http/overview.ts';
import { TokenId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import type { ConsoleReads, Owner, TimeRange } from '../../ports/console-reads.ts';
import { instant, userIdOf, type ReadsDeps } from './reads-deps.ts';

const HOUR_MS = 3_600_000;
/** More colours than this nobody tells apart; the rest is one series. */
const NAMED_SERIES = 6;
const TOP_MODELS = 20;

/** Beginnings of the hours, in UTC, that a range touches. */
const hoursOf = ({ from, to }: TimeRange): ReadonlyMap<string, string> => {
  const hours = new Map<string, string>();
  for (let hour = Math.floor(from / HOUR_MS) * HOUR_MS; hour < to; hour += HOUR_MS) hours.set(instant(hour), instant(hour));
  return hours;
};

/** The days that a range touches in a time zone, with the moments at which they begin. */
const daysOf = ({ from, to }: TimeRange, timeZone: string): ReadonlyMap<string, string> => {
  const days = new Map<string, string>();
  // No day is longer than two: so this lies in the day before, whose end is where the first begins.
  let begin = from;
  const first = dayOf(from, timeZone);
  for (let moment = from - 49 * HOUR_MS; dayOf(moment, timeZone) < first;) begin = moment = endOfDay(moment, timeZone);
  for (; begin < to; begin = endOfDay(begin, timeZone)) days.set(dayOf(begin, timeZone), instant(begin));
  return days;
};

type Series = z.output<typeof SpendSeries>['series'][number];

const seriesOf = (name: string | null, label: string, groups: readonly UsageGroup[], buckets: readonly string[]): Series => {
  const sums = new Map<string, { spend: bigint; requests: number }>();
  for (const { bucket, amount, calls } of groups) {
    const sum = sums.get(bucket ?? '') ?? { spend: 0n, requests: 0 };
    sums.set(bucket ?? '', { spend: sum.spend + amount, requests: sum.requests + calls });
  }
  return {
    name,
    label,
    spend: buckets.map((bucket) => (sums.get(bucket)?.spend ?? 0n) as Money),
    requests: buckets.map((bucket) => sums.get(bucket)?.requests ?? 0),
    total: groups.reduce((total, { amount }) => total + amount, 0n) as Money,
  };
};

export const overviewReads = ({ sql, clock }: ReadsDeps): Pick<ConsoleReads, 'overview' | 'spendSeries' | 'topModels'> => {
  const figuresOf = async (owner: Owner, { from, to }: TimeRange): Promise<z.output<typeof OverviewFigures>['current']> => {
    const { amount, ...figures } = await requestSummary(sql, { userId: userIdOf(owner), from: instant(from), to: instant(to) });
    return { spend: amount, ...figures };
  };

  const standingOf = async (owner: Owner): Promise<{ readonly balance: Money; readonly held: Money }> => {
    if (owner !== 'everybody') {
      const account = await accountBalance(sql, owner, clock.now());
      return { balance: account?.balance ?? (0n as Money), held: account?.held ?? (0n as Money) };
    }
    const { groups } = await trialBalance(sql);
    const standing = (name: string): bigint =>
      groups.filter(({ group }) => group === name).reduce((sum, { credits, debits }) => sum + credits - debits, 0n);
    return { balance: (standing('wallet') + standing('held')) as Money, held: standing('held') as Money };
  };

  return {
    overview: async (owner, range) => {
      const { from, to } = range;
      const [current, previous, standing] = [
        await figuresOf(owner, range),
        await figuresOf(owner, { from: from - (to - from), to: from }),
        await standingOf(owner),
      ];
      return { from: instant(from), to: instant(to), ...standing, current, previous };
    },

    spendSeries: async (owner, range, bucket, by) => {
      const userId = userIdOf(owner);
      const timeZone = owner === 'everybody' ? 'UTC' : ((await accountBalance(sql, owner, clock.now()))?.timeZone ?? 'UTC');
      const beginnings = bucket === 'hour' ? hoursOf(range) : daysOf(range, timeZone);
      const keys = [...beginnings.keys()];
      const lastDay = dayOf(range.to - 1, timeZone);
      const groups =
        bucket === 'hour'
          ? await usageByHour(sql, { userId }, { from: instant(range.from), to: instant(range.to) }, by)
          : await usageByDay(sql, { userId }, { from: keys[0] ?? lastDay, to: dayOf(endOfDay(range.to - 1, timeZone), timeZone) }, by);

      const byName = new Map<string | null, UsageGroup[]>();
      for (const group of groups) byName.set(group.name, [...(byName.get(group.name) ?? []), group]);
      const total = (rows: readonly UsageGroup[]): bigint => rows.reduce((sum, { amount }) => sum + amount, 0n);
      const ranked = [...byName].sort(([, a], [, b]) => (total(a) > total(b) ? -1 : total(a) < total(b) ? 1 : 0));
      const tokenIds = by === 'key' ? ranked.flatMap(([name]) => (name === null ? [] : [TokenId.parse(name)])) : [];
      const names = await tokenNames(sql, userId, tokenIds);
      const labelOf = (name: string | null): string => (name === null ? '' : (names.get(name as TokenId) ?? name));
      const series = ranked.slice(0, NAMED_SERIES).map(([name, rows]) => seriesOf(name, labelOf(name), rows, keys));
      const rest = ranked.slice(NAMED_SERIES).flatMap(([, rows]) => rows);
      if (rest.length > 0) series.push(seriesOf(null, '', rest, keys));
      return { from: instant(range.from), to: instant(range.to), bucket, buckets: [...beginnings.values()], series, names: byName.size };
    },

    topModels: async (owner, { from, to }) => {
      const groups = await usageOverHours(sql, { userId: userIdOf(owner) }, { from: instant(from), to: instant(to) }, 'model');
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
