import type { SpendSeries } from '../../api/overview.ts';
import { COLOURS, colourPlaces } from '../../lib/chart-colours.ts';
import { addMoney, compareMoney, toPlotDollars } from '../../lib/money.ts';

export interface ChartSeries {
  /** `null` is everything that the named series leave out. */
  readonly name: string | null;
  readonly label: string;
  /** Place in the palette; `null` is grey. */
  readonly colour: number | null;
  /** Exact amounts per bucket, and the same for the bars' heights. */
  readonly amounts: readonly string[];
  readonly heights: readonly number[];
  readonly requests: readonly number[];
  readonly total: string;
}

export interface SpendChartData {
  readonly bucket: 'hour' | 'day';
  readonly buckets: readonly string[];
  readonly series: readonly ChartSeries[];
  /** Of each bucket, over all series. */
  readonly totals: readonly string[];
  readonly total: string;
  /** How many names there are in all, and how many of them have a series of their own. */
  readonly names: number;
  readonly named: number;
  /** The last bucket is still filling. */
  readonly partial: boolean;
}

type Raw = SpendSeries['series'][number];
const LENGTH = { hour: 3_600_000, day: 86_400_000 } as const;

const fold = (rest: readonly Raw[], count: number): Raw => ({
  name: null,
  label: '',
  spend: Array.from({ length: count }, (_, index) => addMoney(rest.map((each) => each.spend[index] ?? '0'))),
  requests: Array.from({ length: count }, (_, index) => rest.reduce((sum, each) => sum + (each.requests[index] ?? 0), 0)),
  total: addMoney(rest.map((each) => each.total)),
});

/** From the API's answer to what is drawn: largest first, six at most, the rest as one grey series at the end. */
export const prepareSpend = (answer: SpendSeries, now: number): SpendChartData => {
  const count = answer.buckets.length;
  const ranked = answer.series
    .filter((each) => each.name !== null)
    .sort((left, right) => compareMoney(right.total, left.total) || (left.name! < right.name! ? -1 : 1));
  const named = ranked.slice(0, COLOURS);
  const rest = [...ranked.slice(COLOURS), ...answer.series.filter((each) => each.name === null)];
  const folded = fold(rest, count);
  const places = colourPlaces(named.map((each) => each.name!));
  const shown = folded.total === '0' && folded.requests.every((requests) => requests === 0) ? named : [...named, folded];
  const series = shown.map((each) => ({
    name: each.name,
    label: each.label,
    colour: each.name === null ? null : (places.get(each.name) ?? null),
    amounts: each.spend,
    heights: each.spend.map(toPlotDollars),
    requests: each.requests,
    total: each.total,
  }));
  const last = answer.buckets.at(-1);
  return {
    bucket: answer.bucket,
    buckets: answer.buckets,
    series,
    totals: Array.from({ length: count }, (_, index) => addMoney(series.map((each) => each.amounts[index] ?? '0'))),
    total: addMoney(series.map((each) => each.total)),
    names: answer.names,
    named: named.length,
    partial: last !== undefined && Date.parse(last) + LENGTH[answer.bucket] > now,
  };
};

/** What the legend leaves visible: a click isolates one (or shows all again), with Shift it toggles one. */
export const toggleSeries = (
  hidden: ReadonlySet<string | null>,
  all: readonly (string | null)[],
  name: string | null,
  alone: boolean,
): ReadonlySet<string | null> => {
  if (!alone) {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    return next.size === all.length ? new Set() : next;
  }
  const isAlone = !hidden.has(name) && all.every((each) => each === name || hidden.has(each));
  return isAlone ? new Set() : new Set(all.filter((each) => each !== name));
};

/** Change against the period before as a fraction; `null` when there was nothing before. */
export const changeSince = (current: string, previous: string): number | null => {
  const before = BigInt(previous);
  return before === 0n ? null : Number(((BigInt(current) - before) * 10_000n) / before) / 10_000;
};

/** Whole days that a balance lasts at the spend of a period; `null` when nothing is spent, or for more than two years. */
export const daysLeft = (balance: string, spend: string, periodMs: number): number | null => {
  if (BigInt(spend) <= 0n || BigInt(balance) <= 0n || periodMs <= 0) return null;
  const days = (BigInt(balance) * BigInt(Math.round(periodMs / 60_000))) / (BigInt(spend) * 1_440n);
  return days > 730n ? null : Number(days);
};
