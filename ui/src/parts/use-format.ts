import { useNow } from '@vueuse/core';
import { computed, type ComputedRef } from 'vue';
import { formatMoney, formatMoneyExact, toQuota } from '../lib/money.ts';
import { formatCompact, formatCount, formatDuration, formatRatio, formatShare } from '../lib/quantity.ts';
import { formatAgo, formatDate, formatDay, formatDayRange, formatMoment, formatMomentFull } from '../lib/time.ts';
import { usePreferences } from './preferences.ts';

export interface Format {
  readonly money: (amount: string) => string;
  /** What may be spent, never shown as more than it is. */
  readonly balance: (amount: string) => string;
  readonly moneyExact: (amount: string) => string;
  readonly quota: (amount: string) => string;
  readonly count: (count: number | bigint) => string;
  readonly compact: (count: number) => string;
  readonly share: (fraction: number) => string;
  readonly duration: (milliseconds: number) => string;
  readonly ratio: (millionths: number) => string;
  readonly moment: (instant: string) => string;
  readonly momentFull: (instant: string) => string;
  readonly date: (instant: string) => string;
  readonly day: (day: string) => string;
  readonly dayRange: (from: string, to: string) => string;
  readonly ago: (instant: string) => string;
}

/** One clock for every "3 minutes ago" on the page. */
const now = useNow({ interval: 20_000 });

/** Formats bound to the reader's language and clock; reading them in a template follows both. */
export const useFormat = (): ComputedRef<Format> => {
  const preferences = usePreferences();
  return computed(() => {
    const { locale, zone } = preferences;
    return {
      money: (amount) => formatMoney(amount, locale),
      balance: (amount) => formatMoney(amount, locale, 'down'),
      moneyExact: (amount) => formatMoneyExact(amount, locale),
      quota: (amount) => formatCount(toQuota(amount), locale),
      count: (count) => formatCount(count, locale),
      compact: (count) => formatCompact(count, locale),
      share: (fraction) => formatShare(fraction, locale),
      duration: (milliseconds) => formatDuration(milliseconds, locale),
      ratio: (millionths) => formatRatio(millionths, locale),
      moment: (instant) => formatMoment(instant, locale, zone),
      momentFull: (instant) => formatMomentFull(instant, locale, zone),
      date: (instant) => formatDate(instant, locale, zone),
      day: (day) => formatDay(day, locale),
      dayRange: (from, to) => formatDayRange(from, to, locale),
      ago: (instant) => formatAgo(instant, now.value.getTime(), locale),
    };
  });
};
