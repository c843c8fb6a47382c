import type { Growth, Point } from './growth.ts';

/** One thing measured at sizes that double. */
export interface Series {
  readonly name: string;
  /** What n counts. */
  readonly of: string;
  readonly growth: Growth;
  /** What `cost` is, for people: of the whole of n where growth is linear, of one piece of work where it is flat. */
  readonly cost: string;
  readonly points: readonly (Point & {
    /** What was done in a second, by the clock of a machine that others may use. */
    readonly perSecond?: number;
    readonly note?: string;
  })[];
}

/** Sizes that double up to the greatest. */
export const doublings = (greatest: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.round(greatest / 2 ** (count - 1 - i)));
