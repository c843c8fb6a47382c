/** What something cost at one size. */
export interface Point {
  readonly n: number;
  /** CPU seconds, or any other cost that a busy machine does not change much. */
  readonly cost: number;
}

/** How a cost may grow: `linear` for work over all of n, `flat` for one piece of work among n. */
export type Growth = 'linear' | 'flat';

/** A factor of measurement: what n log n comes to over the range, and so much more in the exponent, is still taken for it. */
const SLACK = 0.2;

const slope = (xs: readonly number[], ys: readonly number[]): number => {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const over = xs.reduce((sum, x, i) => sum + (x - mx) * ((ys[i] as number) - my), 0);
  return over / xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
};

/** The exponent b of the curve c·n^b that lies closest to the points. */
export const exponentOf = (points: readonly Point[]): number =>
  slope(
    points.map(({ n }) => Math.log(n)),
    points.map(({ cost }) => Math.log(cost)),
  );

/** The greatest exponent that passes: that of n log n over the same sizes (or of log n for what should be flat), and the slack. */
export const allowedExponent = (points: readonly Point[], growth: Growth): number => {
  const logarithmic = points.map(({ n }) => ({ n, cost: (growth === 'linear' ? n : 1) * Math.log2(n + 1) }));
  return exponentOf(logarithmic) + SLACK;
};

/** Whether a cost grows no faster than it may. */
export const growsAsItShould = (points: readonly Point[], growth: Growth): boolean => exponentOf(points) <= allowedExponent(points, growth);
