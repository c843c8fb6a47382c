import { z } from 'zod';

declare const money: unique symbol;

/**
 * An amount of money in nano-dollars (10⁻⁹ USD). An integer, always: no float ever holds money. The brand keeps a
 * count of tokens or milliseconds from being passed where an amount belongs; arithmetic is in `domain/ledger/money.ts`.
 */
export type Money = bigint & { readonly [money]: true };

/** Largest amount that any account or event may hold: what a signed 64-bit column holds. About 9.2 billion USD. */
export const LARGEST_AMOUNT = 9_223_372_036_854_775_807n;

const withinBounds = (value: bigint): boolean => value >= -LARGEST_AMOUNT && value <= LARGEST_AMOUNT;

/** In JSON and in events an amount is a decimal string of nano-dollars; in the program it is a bigint. */
export const MoneyText = z.codec(
  z.string().regex(/^(0|-?[1-9]\d{0,18})$/, 'expected nano-dollars as a decimal string'),
  z.custom<Money>((value) => typeof value === 'bigint' && withinBounds(value), 'amount out of range'),
  {
    decode: (text) => BigInt(text) as Money,
    encode: (amount) => amount.toString(),
  },
);

/** As {@link MoneyText}, but never below zero. */
export const AmountText = z.codec(
  z.string().regex(/^(0|[1-9]\d{0,18})$/, 'expected nano-dollars as a decimal string, not negative'),
  z.custom<Money>((value) => typeof value === 'bigint' && value >= 0n && withinBounds(value), 'amount out of range'),
  {
    decode: (text) => BigInt(text) as Money,
    encode: (amount) => amount.toString(),
  },
);
