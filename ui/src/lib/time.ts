/** Moments and spans as people read them. `zone` is an IANA name; without it the browser's own zone counts. */

const formats = new Map<string, Intl.DateTimeFormat>();
const dates = (locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, options);
  formats.set(key, made);
  return made;
};

/** `Nov 22, 14:03:07`: a row of a log. */
export const formatMoment = (instant: string, locale: string, zone?: string): string =>
  dates(locale, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZone: zone,
  }).format(new Date(instant));

/** With year and zone: where there must be no doubt. */
export const formatMomentFull = (instant: string, locale: string, zone?: string): string =>
  dates(locale, { dateStyle: 'medium', timeStyle: 'long', hourCycle: 'h23', timeZone: zone }).format(new Date(instant));

export const formatDate = (instant: string, locale: string, zone?: string): string =>
  dates(locale, { year: 'numeric', month: 'short', day: 'numeric', timeZone: zone }).format(new Date(instant));

/** A calendar day, `2026-11-22`, which has no zone. */
export const formatDay = (day: string, locale: string): string =>
  dates(locale, { month: 'short', day: 'numeric', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));

export const formatDayRange = (from: string, to: string, locale: string): string =>
  dates(locale, { month: 'short', day: 'numeric', timeZone: 'UTC' }).formatRange(
    new Date(`${from}T00:00:00Z`),
    new Date(`${to}T00:00:00Z`),
  );

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** `3 minutes ago`, `in 2 days`; anything under a minute is `now`. */
export const formatAgo = (instant: string, now: number, locale: string): string => {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const distance = Date.parse(instant) - now;
  for (const [unit, size] of STEPS) if (Math.abs(distance) >= size) return relative.format(Math.trunc(distance / size), unit);
  return relative.format(0, 'second');
};

/** The calendar day of a moment in a zone, `2026-11-22`. */
export const dayOf = (moment: number, zone: string): string => {
  const parts = dates('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: zone }).formatToParts(moment);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
};

/** `days` later (or earlier, when negative). */
export const shiftDay = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

/** Both ends included; nothing when `to` lies before `from`. */
export const daysBetween = (from: string, to: string): string[] => {
  const days: string[] = [];
  for (let day = from; day <= to; day = shiftDay(day, 1)) days.push(day);
  return days;
};

/** How far a zone's wall clock is ahead of UTC at a moment, in milliseconds. */
const offsetOf = (moment: number, zone: string): number => {
  const parts = dates('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(moment);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((each) => each.type === type)?.value ?? 0);
  return (
    Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) -
    Math.floor(moment / 1_000) * 1_000
  );
};

/** The moment at which a calendar day begins in a zone. Asked twice, since the offset may change on the way there. */
export const startOfDay = (day: string, zone: string): number => {
  const wall = Date.parse(`${day}T00:00:00Z`);
  const guess = wall - offsetOf(wall, zone);
  return wall - offsetOf(guess, zone);
};
