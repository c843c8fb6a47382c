import type { CapWindow } from '../../schemas/events/account.ts';
import type { Money } from '../../schemas/money.ts';
import type { Day } from '../../schemas/time.ts';
import { add, ZERO } from './money.ts';
import { monthOf } from './time-window.ts';

/**
 * What has been spent for good, by window. Only recent windows are kept: a lease settles in the day on which it was
 * granted, and no lease lives long enough to settle into a window that was dropped.
 */
export interface WindowedSpend {
  readonly total: Money;
  readonly days: ReadonlyMap<Day, Money>;
  readonly months: ReadonlyMap<string, Money>;
}

export const NOTHING_SPENT: WindowedSpend = { total: ZERO, days: new Map(), months: new Map() };

const WINDOWS_KEPT = 4;

const addTo = (windows: ReadonlyMap<string, Money>, key: string, amount: Money): ReadonlyMap<string, Money> => {
  const next = new Map(windows);
  next.set(key, add(next.get(key) ?? ZERO, amount));
  if (next.size <= WINDOWS_KEPT) return next;
  return new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1)).slice(-WINDOWS_KEPT));
};

export const spend = (spent: WindowedSpend, day: Day, amount: Money): WindowedSpend => ({
  total: add(spent.total, amount),
  days: addTo(spent.days, day, amount),
  months: addTo(spent.months, monthOf(day), amount),
});

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
