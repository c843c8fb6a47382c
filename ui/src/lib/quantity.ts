/** Counts, shares and durations as people read them. */

const formats = new Map<string, Intl.NumberFormat>();
const number = (locale: string, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat => {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(locale, options);
  formats.set(key, made);
  return made;
};

export const formatCount = (count: number | bigint, locale: string): string => number(locale).format(count);

/** From ten thousand up in short form: `1.2M`, `120万`. */
export const formatCompact = (count: number, locale: string): string =>
  Math.abs(count) < 10_000 ? formatCount(count, locale) : number(locale, { notation: 'compact', maximumFractionDigits: 1 }).format(count);

/** A fraction as percent: one decimal, two above 99 % where the second one matters, none at exactly 0 or 1. */
export const formatShare = (fraction: number, locale: string): string => {
  const digits = fraction === 0 || fraction === 1 ? 0 : fraction > 0.99 ? 2 : 1;
  // 0.99999 must not read as 100 %.
  const shown = fraction < 1 && fraction > 0.9999 ? 0.9999 : fraction;
  return number(locale, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(shown);
};

/** Milliseconds below a second, then seconds with two decimals, then minutes and seconds. */
export const formatDuration = (milliseconds: number, locale: string): string => {
  if (milliseconds < 1_000) return number(locale, { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 }).format(milliseconds);
  if (milliseconds < 60_000)
    return number(locale, { style: 'unit', unit: 'second', minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(
      milliseconds / 1_000,
    );
  const minutes = Math.floor(milliseconds / 60_000);
  const seconds = Math.round((milliseconds % 60_000) / 1_000);
  return `${number(locale, { style: 'unit', unit: 'minute' }).format(minutes)} ${number(locale, { style: 'unit', unit: 'second' }).format(seconds)}`;
};

/** A ratio held in millionths, as `1`, `0.85` or `1.25`. */
export const formatRatio = (millionths: number, locale: string): string =>
  number(locale, { maximumFractionDigits: 6 }).format(millionths / 1_000_000);
