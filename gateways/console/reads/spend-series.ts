import type { z } from 'zod';
import { dayOf, endOfDay } from '../../../domain/ledger/time-window.ts';
import { sum, ZERO } from '../../../domain/ledger/money.ts';
import type { Owner, TimeRange } from '../../ports/console-reads.ts';
import { accountBalance } from '../../../projections/account-balances/queries.ts';
import { tokenNames } from '../../../projections/token-lookup/queries.ts';
import type { UsageGroup, UsageGrouping } from '../../../projections/usage/usage-groups.ts';
import { usageByDay, usageOverDays } from '../../../projections/usage-daily/queries.ts';
import { usageByHour, usageByUtcDay, usageOverHours } from '../../../projections/usage-hourly/queries.ts';
import type { SpendSeries } from '../../../schemas/http/overview.ts';
import type { TokenId, UserId } from '../../../schemas/ids.ts';
import type { Day } from '../../../schemas/time.ts';
import { instantOf, userOf } from './asked.ts';
import type { ReadsDeps } from './reads-deps.ts';

type Answer = z.output<typeof SpendSeries>;
type Series = Answer['series'][number];

/** Series with a name of their own: as many as a chart has colours for. */
const NAMED_SERIES = 6;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Where the buckets begin, what the read model calls each, and where it is asked. */
interface Buckets {
  readonly starts: readonly number[];
  readonly names: readonly string[];
  /** What was spent over all buckets, by name. */
  over(by: UsageGrouping): Promise<readonly UsageGroup[]>;
  /** By bucket: these names, and all others under `null`. */
  each(by: UsageGrouping, only: readonly string[]): Promise<readonly UsageGroup[]>;
}

const spread = (from: number, to: number, step: number): number[] => {
  const starts: number[] = [];
  for (let start = Math.floor(from / step) * step; start < to; start += step) starts.push(start);
  return starts;
};

/** Buckets of one length everywhere, in UTC. */
const inUtc = (sql: ReadsDeps['sql'], userId: UserId | 'all', { from, to }: TimeRange, bucket: 'hour' | 'day'): Buckets => {
  const step = bucket === 'hour' ? HOUR_MS : DAY_MS;
  const starts = spread(from, to, step);
  const range = { from: instantOf(starts[0] ?? from), to: instantOf((starts.at(-1) ?? from) + step) };
  const usage = bucket === 'hour' ? usageByHour : usageByUtcDay;
  return {
    starts,
    names: starts.map(instantOf),
    over: (by) => usageOverHours(sql, { userId }, range, by),
    each: (by, only) => usage(sql, { userId }, range, by, only),
  };
};

/** Further than the longest day is long. */
const BEFORE_ANY_DAY_MS = 3 * DAY_MS;

/** An account's own days, which are those that its caps count by. Not all are of one length. */
const inDaysOf = (sql: ReadsDeps['sql'], userId: UserId, { from, to }: TimeRange, timeZone: string): Buckets => {
  let start = endOfDay(from - BEFORE_ANY_DAY_MS, timeZone);
  for (let next = endOfDay(start, timeZone); next <= from; next = endOfDay(start, timeZone)) start = next;
  const starts: number[] = [];
  for (; start < to; start = endOfDay(start, timeZone)) starts.push(start);
  const names: Day[] = starts.map((moment) => dayOf(moment, timeZone));
  const range = { from: names[0] ?? dayOf(from, timeZone), to: dayOf(start, timeZone) };
  return {
    starts,
    names,
    over: (by) => usageOverDays(sql, { userId }, range, by),
    each: (by, only) => usageByDay(sql, { userId }, range, by, only),
  };
};

/**
 * What was spent over time: the dearest names apart, the rest together at the end. One user's days are those of the account's time
 * zone; everybody's are days in UTC, since accounts do not share a midnight. Takes in every bucket that the range touches.
 */
export const spendSeries = async (
  { sql, clock }: Pick<ReadsDeps, 'sql' | 'clock'>,
  owner: Owner,
  range: TimeRange,
  bucket: 'hour' | 'day',
  by: 'model' | 'key' | 'none',
): Promise<Answer> => {
  const userId = userOf(owner);
  const buckets =
    bucket === 'hour' || userId === 'all'
      ? inUtc(sql, userId, range, bucket)
      : inDaysOf(sql, userId, range, (await accountBalance(sql, userId, clock.now()))?.timeZone ?? 'UTC');

  const all = by === 'none' ? [] : (await buckets.over(by)).flatMap(({ name }) => name ?? []);
  const named = all.slice(0, NAMED_SERIES);
  const groups = await buckets.each(by, named);
  const labels = by === 'key' ? await tokenNames(sql, userId, named as TokenId[]) : new Map<string, string>();

  const seriesOf = (name: string | null): Series => {
    const own = new Map(groups.filter((group) => group.name === name).map((group) => [group.bucket, group]));
    const spend = buckets.names.map((bucketName) => own.get(bucketName)?.amount ?? ZERO);
    return {
      name,
      label: name === null ? '' : (labels.get(name as TokenId) ?? name),
      spend,
      requests: buckets.names.map((bucketName) => own.get(bucketName)?.calls ?? 0),
      total: sum(spend),
    };
  };

  return {
    from: instantOf(range.from),
    to: instantOf(range.to),
    bucket,
    buckets: buckets.starts.map(instantOf),
    series: [...named.map(seriesOf), ...(by === 'none' || all.length > named.length ? [seriesOf(null)] : [])],
    names: all.length,
  };
};
