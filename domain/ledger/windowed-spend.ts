import type { CapWindow } from '../../schemas/events/account.ts';
import type { Money } from '../../schemas/money.ts';
import type { Day } from '../../schemas/time.ts';
import { add, negate, subtract, ZERO } from './money.ts';
import { monthOf } from './time-window.ts';

/**
 * What has been spent for good, by window. Only a few windows are kept, and of those that are dropped the one that was
 * spent in longest ago goes first, whatever its date: a process whose clock jumped back spends in an old day, and that day's
 * cap must hold there as well.
 */
export interface WindowedSpend {
  readonly total: Money;
  readonly days: ReadonlyMap<Day, Money>;
  readonly months: ReadonlyMap<string, Money>;
}

export const NOTHING_SPENT: WindowedSpend = { total: ZERO, days: new Map(), months: new Map() };

/** More than the days and months that the clocks of all processes of one installation can be thought to stand at together. */
const WINDOWS_KEPT = 8;

const addTo = (windows: ReadonlyMap<string, Money>, key: string, amount: Money): ReadonlyMap<string, Money> => {
  const next = new Map(windows);
  // A map keeps the order of insertion, so what is put in again counts as the latest.
  next.delete(key);
  next.set(key, add(windows.get(key) ?? ZERO, amount));
  for (const oldest of next.keys()) {
    if (next.size <= WINDOWS_KEPT) break;
    next.delete(oldest);
  }
  return next;
};

export const spend = (spent: WindowedSpend, day: Day, amount: Money): WindowedSpend => ({
  total: add(spent.total, amount),
  days: addTo(spent.days, day, amount),
  months: addTo(spent.months, monthOf(day), amount),
});

/**
 * Takes back what was spent, on the day on which it was. Of windows that are not kept any more nothing is taken: nobody spends in them. `isAhead`:
 * the spending itself is not recorded yet, so that windows are below nothing until it is.
 */
export const unspend = (spent: WindowedSpend, day: Day, amount: Money, isAhead: boolean): WindowedSpend => {
  const takenFrom = (windows: ReadonlyMap<string, Money>, key: string): ReadonlyMap<string, Money> => {
    const before = windows.get(key);
    if (before === undefined) return isAhead ? addTo(windows, key, negate(amount)) : windows;
    return new Map(windows).set(key, subtract(before, amount));
  };
  return { total: subtract(spent.total, amount), days: takenFrom(spent.days, day), months: takenFrom(spent.months, monthOf(day)) };
};

/** What was spent in the window that `day` lies in. */
export const spentIn = (spent: WindowedSpend, window: CapWindow, day: Day): Money => {
  switch (window) {
    case 'total':
      return spent.total;
    case 'day':
      return spent.days.get(day) ?? ZERO;
    case 'month':
      return spent.months.get(monthOf(day)) ?? ZERO;
  }
};
