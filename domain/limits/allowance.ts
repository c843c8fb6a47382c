import type { LimitWindow } from '../../schemas/limits.ts';

/** So much in so long, in whatever is counted. */
export interface Allowance {
  readonly algorithm: 'slidingWindow' | 'tokenBucket' | 'leakyBucket';
  readonly amount: number;
  readonly window: LimitWindow;
  /** How much may come at once. Means nothing to a sliding window. */
  readonly burst: number;
}

/**
 * What was used. Of a sliding window: `level` in the window that began at `at`, `before` in the one ahead of it. Of a bucket:
 * `level` is what is left at time `at`.
 */
export interface Counter {
  readonly level: number;
  readonly before: number;
  readonly at: number;
}

/** What asking for some of an allowance comes to. */
export interface Look {
  readonly admitted: boolean;
  /** Whole units that are left; of an admitted call, behind it. */
  readonly left: number;
  /** Milliseconds until this would be admitted if nobody else came; `Infinity` when it never will. 0 when it is. */
  readonly waitMs: number;
  /** Milliseconds until the allowance is whole again. */
  readonly resetMs: number;
}

const LENGTHS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** The window that a moment lies in, in milliseconds since the Unix epoch. Months are the calendar's, by UTC. */
export const windowAt = (window: LimitWindow, now: number): { readonly start: number; readonly length: number } => {
  if (window !== 'month') return { start: now - (now % LENGTHS[window]), length: LENGTHS[window] };
  const date = new Date(now);
  const start = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  return { start, length: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) - start };
};

/** What nobody has used yet. */
export const untouched = ({ algorithm, burst, window }: Allowance, now: number): Counter =>
  algorithm === 'slidingWindow' ? { level: 0, before: 0, at: windowAt(window, now).start } : { level: burst, before: 0, at: now };

/** The counter as of now. A clock that went back changes nothing. */
export const asOf = (counter: Counter, allowance: Allowance, now: number): Counter => {
  if (now <= counter.at) return counter;
  const { start, length } = windowAt(allowance.window, now);
  if (allowance.algorithm !== 'slidingWindow') {
    const level = Math.min(allowance.burst, counter.level + ((now - counter.at) * allowance.amount) / length);
    return { level, before: 0, at: now };
  }
  if (start === counter.at) return counter;
  // The window ahead of this one, if that is where the last use was; the day before a first of March is of February’s length.
  return { level: 0, before: counter.at === windowAt(allowance.window, start - 1).start ? counter.level : 0, at: start };
};

/** Uses some; negative units give some back. Whether there is so much is for {@link look} to say. */
export const use = (counter: Counter, { algorithm, burst }: Allowance, units: number): Counter => {
  if (algorithm === 'slidingWindow') return { ...counter, level: Math.max(0, counter.level + units) };
  return { ...counter, level: Math.min(burst, counter.level - units) };
};

const lookAtWindow = ({ level, before, at }: Counter, { amount, window }: Allowance, units: number, now: number): Look => {
  const { length } = windowAt(window, at);
  const elapsed = Math.max(0, now - at);
  const used = level + before * (1 - elapsed / length);
  const admitted = used + units <= amount;
  const left = Math.max(0, Math.floor(amount - used - (admitted ? units : 0)));
  // What is used in this window weighs until the end of the next.
  const resetMs = level + (admitted ? units : 0) > 0 ? 2 * length - elapsed : before > 0 ? length - elapsed : 0;
  if (admitted) return { admitted, left, waitMs: 0, resetMs };
  if (units > amount) return { admitted, left, waitMs: Infinity, resetMs };
  const room = amount - units;
  const waitMs = level <= room ? length * (1 - (room - level) / before) - elapsed : length - elapsed + length * (1 - room / level);
  return { admitted, left, waitMs: Math.max(1, Math.ceil(waitMs)), resetMs };
};

const lookAtBucket = ({ level }: Counter, { amount, burst, window }: Allowance, units: number, now: number): Look => {
  const perMs = amount / windowAt(window, now).length;
  // Refilled by sums of fractions: what is whole but for the last of its bits is whole.
  const admitted = level + 1e-6 >= units;
  const behind = admitted ? level - units : level;
  const resetMs = Math.ceil((burst - behind) / perMs);
  const left = Math.max(0, Math.floor(behind + 1e-6));
  if (admitted) return { admitted, left, waitMs: 0, resetMs };
  return { admitted, left, waitMs: units > burst ? Infinity : Math.max(1, Math.ceil((units - level) / perMs)), resetMs };
};

/** Whether so many units are there, with a counter that is as of now. */
export const look = (counter: Counter, allowance: Allowance, units: number, now: number): Look =>
  allowance.algorithm === 'slidingWindow' ? lookAtWindow(counter, allowance, units, now) : lookAtBucket(counter, allowance, units, now);
