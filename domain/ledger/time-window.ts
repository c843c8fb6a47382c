import type { Day } from '../../schemas/time.ts';

const formatters = new Map<string, Intl.DateTimeFormat>();

const formatterFor = (timeZone: string): Intl.DateTimeFormat => {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formatters.set(timeZone, formatter);
  }
  return formatter;
};

/** The calendar day of a moment (milliseconds since the Unix epoch) in a time zone, `YYYY-MM-DD`. */
export const dayOf = (moment: number, timeZone: string): Day => formatterFor(timeZone).format(moment);

/** The calendar month of a day, `YYYY-MM`. */
export const monthOf = (day: Day): string => day.slice(0, 7);

/** No day of any zone is longer: 24 hours, and the widest change of clocks that tzdata knows of. */
const LONGEST_DAY_MS = 49 * 3_600_000;

/**
 * The first millisecond of the next day in a time zone. Found by bisection, because clocks that change make days of 23 and 25
 * hours, and days that do not begin at midnight.
 */
export const endOfDay = (moment: number, timeZone: string): number => {
  const day = dayOf(moment, timeZone);
  let inside = moment;
  let outside = moment + LONGEST_DAY_MS;
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    if (dayOf(middle, timeZone) === day) inside = middle;
    else outside = middle;
  }
  return outside;
};
