/** Amounts arrive as decimal strings of nano-dollars (10⁻⁹ USD). They are formatted as decimal strings: a float never holds money. */

const NANO_DIGITS = 9;
const NANO = 1_000_000_000n;
/** 500 000 quota = 1 USD: the display unit that people coming from one-api know. */
const NANO_PER_QUOTA = 2_000n;
const COMPACT_FROM = 10_000n * NANO;

/** An amount as the API carries it. */
export type NanoText = string;

/** What a table cell needs to line amounts up on the decimal point. */
export interface MoneyParts {
  readonly negative: boolean;
  /** With currency sign, grouping and the first two decimals. */
  readonly main: string;
  /** The decimals after the second, without trailing zeros. */
  readonly fine: string;
  /** How many places `fine` is short of nine decimals. */
  readonly missing: number;
}

const formats = new Map<string, Intl.NumberFormat>();
const currency = (locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat => {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(locale, { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol', ...options });
  formats.set(key, made);
  return made;
};

const absolute = (amount: bigint): bigint => (amount < 0n ? -amount : amount);

/** Exact decimal text of an amount, `-12.000000001`; `Intl` formats such text without going through a float. */
export const toDecimal = (amount: NanoText): `${number}` => {
  const value = BigInt(amount);
  const whole = absolute(value) / NANO;
  const rest = (absolute(value) % NANO).toString().padStart(NANO_DIGITS, '0').replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${whole}${rest === '' ? '' : `.${rest}`}` as `${number}`;
};

/** Figures and axes: two decimals, compact from 10 000 USD; an amount that two decimals would show as nothing gets its first two digits that count. What somebody may spend is rounded `down`, so that nothing is promised that is not there. */
export const formatMoney = (amount: NanoText, locale: string, rounding: 'nearest' | 'down' = 'nearest'): string => {
  const roundingMode = rounding === 'down' ? 'trunc' : 'halfExpand';
  const size = absolute(BigInt(amount));
  if (size >= COMPACT_FROM)
    return currency(locale, { notation: 'compact', maximumFractionDigits: 1, minimumFractionDigits: 0, roundingMode }).format(
      toDecimal(amount),
    );
  if (size > 0n && size < NANO / 100n)
    return currency(locale, {
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
      maximumSignificantDigits: 2,
      roundingPriority: 'morePrecision',
      roundingMode,
    }).format(toDecimal(amount));
  return currency(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2, roundingMode }).format(toDecimal(amount));
};

/** Every digit there is, at least two decimals. */
export const formatMoneyExact = (amount: NanoText, locale: string): string =>
  currency(locale, { minimumFractionDigits: 2, maximumFractionDigits: NANO_DIGITS }).format(toDecimal(amount));

/** The pieces of {@link formatMoneyExact}, for columns that line up. The sign is left to the caller. */
export const moneyParts = (amount: NanoText, locale: string): MoneyParts => {
  const value = BigInt(amount);
  const cents = absolute(value) / 10_000_000n;
  const fine = (absolute(value) % 10_000_000n).toString().padStart(7, '0').replace(/0+$/, '');
  const main = currency(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(
    `${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')}` as `${number}`,
  );
  return { negative: value < 0n, main, fine, missing: 7 - fine.length };
};

/** Whole quota units, rounded towards zero. */
export const toQuota = (amount: NanoText): bigint => BigInt(amount) / NANO_PER_QUOTA;

/** Dollars for a chart's axis and bars only: pixels need no more than a float holds. Never shown, never sent. */
export const toPlotDollars = (amount: NanoText): number => Number(BigInt(amount)) / Number(NANO);

export const addMoney = (amounts: readonly NanoText[]): NanoText => amounts.reduce((sum, amount) => sum + BigInt(amount), 0n).toString();

export const compareMoney = (left: NanoText, right: NanoText): number => {
  const difference = BigInt(left) - BigInt(right);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** Share of `part` in `whole` as a fraction between 0 and 1, for a bar's width; 0 when there is no whole. */
export const shareOf = (part: NanoText, whole: NanoText): number => {
  const total = BigInt(whole);
  if (total <= 0n) return 0;
  const permyriad = (BigInt(part) * 10_000n) / total;
  return Math.min(1, Math.max(0, Number(permyriad) / 10_000));
};

/** What a person typed as dollars (`12`, `$1,200.50`, `0,05` where a comma is the decimal sign), or `null` when it is no amount. */
export const parseDollars = (text: string): NanoText | null => {
  const bare = text
    .trim()
    .replace(/^\$\s*/, '')
    .replace(/[\s_]/g, '');
  const plain = /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(bare) ? bare.replaceAll(',', '') : bare.replace(',', '.');
  const match = /^(\d{1,10})(?:\.(\d{0,9}))?$/.exec(plain);
  if (match === null) return null;
  const [, whole = '0', rest = ''] = match;
  const nano = BigInt(whole) * NANO + BigInt(rest.padEnd(NANO_DIGITS, '0'));
  return nano > 9_223_372_036_854_775_807n ? null : nano.toString();
};

/** For a form's field: plain decimal dollars without sign or grouping. */
export const toDollarsField = (amount: NanoText): string => toDecimal(amount);

/** Exact dollars of an exact amount of nano-dollars that may have a fraction of its own, `1234.5` → `0.0000012345`. */
const dollarsOfExact = (nano: string): `${number}` => {
  const [whole = '0', fraction = ''] = nano.replace('-', '').split('.');
  const padded = whole.padStart(NANO_DIGITS + 1, '0');
  const dollars = padded.slice(0, -NANO_DIGITS);
  const rest = (padded.slice(-NANO_DIGITS) + fraction).replace(/0+$/, '');
  return `${nano.startsWith('-') ? '-' : ''}${dollars}${rest === '' ? '' : `.${rest}`}` as `${number}`;
};

/** An exact, unrounded amount, as the steps of a computation have it: every digit that there is. */
export const formatExactNano = (nano: string, locale: string): string =>
  currency(locale, { minimumFractionDigits: 2, maximumFractionDigits: 20 }).format(dollarsOfExact(nano));
