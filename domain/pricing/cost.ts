import type { Money } from '../../schemas/money.ts';
import { RATIO_ONE, type ModelPrice, type Ratio } from '../../schemas/price.ts';
import { TOKEN_CLASSES, UNIT_CLASSES, type Usage } from '../../schemas/usage.ts';
import { PROMPT_CLASSES, ratesFor, type RateTable } from './rates.ts';

const MILLION = 1_000_000n;

/** What a cost is a fraction of: tokens are priced per million, and a ratio is in millionths. */
export const COST_DENOMINATOR = MILLION * BigInt(RATIO_ONE);

export const ceilDivide = (numerator: bigint, denominator: bigint): bigint => (numerator + denominator - 1n) / denominator;

/** All tokens of the prompt, whatever their class. */
export const promptTokensOf = (usage: Usage): number => {
  let tokens = 0;
  for (const name of PROMPT_CLASSES) tokens += usage[name] ?? 0;
  return tokens;
};

/** Tokens by class × rate, in nano-dollars per million: exact, so that parts add up to the whole. */
export const exactCost = (usage: Usage, rates: RateTable): bigint => {
  let cost = 0n;
  for (const name of TOKEN_CLASSES) {
    const count = usage[name];
    if (count !== undefined && count !== 0) cost += BigInt(count) * rates[name];
  }
  for (const name of UNIT_CLASSES) {
    const count = usage[name];
    if (count !== undefined && count !== 0) cost += BigInt(count) * rates[name] * MILLION;
  }
  return cost;
};

/**
 * The price of a call in nano-dollars: an exact rational, rounded up once. `ratio` is the user group's share of the
 * list price, or a channel's when it is our own cost that is asked for.
 */
export const costOf = (usage: Usage, price: ModelPrice, ratio: Ratio): Money => atRatio(exactCostAt(usage, price), ratio);

/** {@link exactCost} at the rates that hold for this usage: what {@link atRatio} makes a price of. */
export const exactCostAt = (usage: Usage, price: ModelPrice): bigint => exactCost(usage, ratesFor(price, promptTokensOf(usage)));

/** The share of an exact cost, in nano-dollars, rounded up. */
export const atRatio = (exact: bigint, ratio: Ratio): Money => ceilDivide(exact * BigInt(ratio), COST_DENOMINATOR) as Money;
