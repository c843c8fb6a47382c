import { LARGEST_AMOUNT, type Money } from '../../schemas/money.ts';

export const ZERO = 0n as Money;

/** Nano-dollars in one dollar. */
const NANOS_PER_DOLLAR = 1_000_000_000n;

/** Digits behind the point of a dollar down to the nano-dollar. */
const DECIMALS = 9;

/** The display unit that users of one-api and New API know: 500 000 quota are one dollar. Never stored. */
const NANOS_PER_QUOTA = NANOS_PER_DOLLAR / 500_000n;

export const add = (a: Money, b: Money): Money => (a + b) as Money;
export const subtract = (a: Money, b: Money): Money => (a - b) as Money;
export const negate = (a: Money): Money => -a as Money;
export const smaller = (a: Money, b: Money): Money => (a < b ? a : b);
export const larger = (a: Money, b: Money): Money => (a > b ? a : b);
export const sum = (amounts: Iterable<Money>): Money => {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total as Money;
};

/** Whole dollars as an amount. */
export const dollars = (count: number): Money => (BigInt(count) * NANOS_PER_DOLLAR) as Money;

/** An amount in whole quota, rounded towards zero: for display only. */
export const toQuota = (amount: Money): bigint => amount / NANOS_PER_QUOTA;

/** An amount as dollars in decimal notation, exact and without trailing zeros: 1 500 000n is `0.0015`. */
export const toDollarText = (amount: Money): string => {
  const sign = amount < 0n ? '-' : '';
  const digits = (amount < 0n ? -amount : amount).toString().padStart(DECIMALS + 1, '0');
  const point = digits.length - DECIMALS;
  let end = digits.length;
  while (end > point && digits[end - 1] === '0') end--;
  return end === point ? sign + digits.slice(0, point) : `${sign}${digits.slice(0, point)}.${digits.slice(point, end)}`;
};

/** Reads what {@link toDollarText} writes, down to the nano-dollar; `null` for anything else and for more than an account can hold. */
export const fromDollarText = (text: string): Money | null => {
  const match = /^(-?)(\d{1,10})(?:\.(\d{1,9}))?$/.exec(text.trim());
  if (match === null) return null;
  const [, sign, whole = '0', fraction = ''] = match;
  const size = BigInt(whole) * NANOS_PER_DOLLAR + BigInt(fraction.padEnd(9, '0'));
  if (size > LARGEST_AMOUNT) return null;
  return (sign === '-' ? -size : size) as Money;
};
