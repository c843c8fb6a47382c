import type { Percentiles } from './load-job.ts';

/** Cumulative counts of a Prometheus histogram: how many values were at most `seconds`. */
export type Buckets = readonly { readonly seconds: number; readonly count: number }[];

const BUCKET = /^oblivious_durable_seconds_bucket\{(?=[^}]*step="charge")[^}]*le="([^"]+)"[^}]*\} (\S+)$/gm;

/** From a metrics page: how long charges took to be durable, since the server started. */
export const chargeBuckets = (page: string): Buckets =>
  Array.from(page.matchAll(BUCKET), ([, bound, count]) => ({ seconds: bound === '+Inf' ? Infinity : Number(bound), count: Number(count) }));

/** Reckoned as if the values of a bucket lay evenly in it; NaN where there are none, or they lie beyond the last bound. */
const quantileMs = (buckets: Buckets, q: number): number => {
  const rank = q * (buckets.at(-1)?.count ?? 0);
  const i = buckets.findIndex(({ count }) => count >= rank);
  const low = buckets[i - 1] ?? { seconds: 0, count: 0 };
  const high = buckets[i];
  if (high === undefined || high.count === low.count || high.seconds === Infinity) return Number.NaN;
  return (low.seconds + ((rank - low.count) / (high.count - low.count)) * (high.seconds - low.seconds)) * 1000;
};

/** Of what was added to the histogram between two readings. */
export const chargeWait = (before: Buckets, after: Buckets): Percentiles => {
  const counts = new Map(before.map(({ seconds, count }) => [seconds, count]));
  const added = after.map(({ seconds, count }) => ({ seconds, count: count - (counts.get(seconds) ?? 0) }));
  return { p50Ms: quantileMs(added, 0.5), p99Ms: quantileMs(added, 0.99) };
};
