import type { Field } from './url-state.ts';
import { dayOf, shiftDay, startOfDay } from './time.ts';

/** The spans that pages offer. `custom` carries its own days. */
export const PRESETS = ['24h', '7d', '30d', '90d', 'mtd'] as const;
export type Preset = (typeof PRESETS)[number];
export type Period = { readonly kind: Preset } | { readonly kind: 'custom'; readonly from: string; readonly to: string };

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

export const isDay = (text: string): boolean =>
  DAY.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);

/** Short and stable in a URL: `7d`, or `2026-11-01..2026-11-22`. */
export const periodToText = (period: Period): string => (period.kind === 'custom' ? `${period.from}..${period.to}` : period.kind);

/** What does not parse is `null`; ends in the wrong order are put right. */
export const periodFromText = (text: string): Period | null => {
  const preset = PRESETS.find((each) => each === text);
  if (preset !== undefined) return { kind: preset };
  const [first, second, ...more] = text.split('..');
  if (first === undefined || second === undefined || more.length > 0 || !isDay(first) || !isDay(second)) return null;
  return first <= second ? { kind: 'custom', from: first, to: second } : { kind: 'custom', from: second, to: first };
};

/** A period as a filter of the URL. */
export const periodField = (initial: Preset): Field<Period> => ({ initial: { kind: initial }, parse: periodFromText, print: periodToText });

/** The first and the last calendar day of a period in a zone; `24h` reaches into yesterday. */
export const periodDays = (period: Period, now: number, zone: string): { readonly from: string; readonly to: string } => {
  const today = dayOf(now, zone);
  switch (period.kind) {
    case 'custom':
      return { from: period.from, to: period.to };
    case '24h':
      return { from: shiftDay(today, -1), to: today };
    case '7d':
      return { from: shiftDay(today, -6), to: today };
    case '30d':
      return { from: shiftDay(today, -29), to: today };
    case '90d':
      return { from: shiftDay(today, -89), to: today };
    case 'mtd':
      return { from: `${today.slice(0, 7)}-01`, to: today };
  }
};

const HOUR = 3_600_000;

/** From when to when. `to` is open for a period that reaches to the present, so that what comes meanwhile belongs to it. */
export const periodSpan = (period: Period, now: number, zone: string): { readonly from: string; readonly to?: string } => {
  const { from, to } = periodDays(period, now, zone);
  if (period.kind === '24h') return { from: new Date(Math.floor(now / HOUR) * HOUR - 23 * HOUR).toISOString() };
  const start = new Date(startOfDay(from, zone)).toISOString();
  return period.kind === 'custom' ? { from: start, to: new Date(startOfDay(shiftDay(to, 1), zone)).toISOString() } : { from: start };
};

/** Hours for a day or two, days for more. */
export const bucketOf = (period: Period, now: number, zone: string): 'hour' | 'day' => {
  const { from, to } = periodDays(period, now, zone);
  return shiftDay(from, 2) > to ? 'hour' : 'day';
};
