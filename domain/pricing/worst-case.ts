import type { Money } from '../../schemas/money.ts';
import type { ModelPrice, Ratio } from '../../schemas/price.ts';
import { ceilDivide, COST_DENOMINATOR } from './cost.ts';
import { reachableRates, type RateTable } from './rates.ts';

/** What a call can use at most. */
export interface CallBound {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly audioInput: boolean;
  readonly imageInput: boolean;
  readonly audioOutput: boolean;
  readonly imageOutput: boolean;
  readonly toolUses: number;
  /** One, where nothing else is said. */
  readonly calls?: number;
  readonly seconds?: number;
  readonly images?: number;
  readonly characters?: number;
}

/**
 * The least output that makes a call worth making. Below it an answer is cut before it says anything, and a caller is
 * better served by being told that the balance is spent.
 */
export const USEFUL_OUTPUT_TOKENS = 32;

/** Assumed where neither the caller nor the price list says how much a model may produce. */
export const UNKNOWN_OUTPUT_LIMIT = 16_384;

const highest = (...rates: readonly bigint[]): bigint => {
  let most = 0n;
  for (const rate of rates) if (rate > most) most = rate;
  return most;
};

/** Nobody knows beforehand which tokens a cache will take or a model will think, so each is taken at the dearest class it may fall in. */
const promptRate = (rates: RateTable, bound: CallBound): bigint =>
  highest(
    rates.input,
    rates.cachedInput,
    rates.cacheWrite5m,
    rates.cacheWrite1h,
    bound.audioInput ? rates.audioInput : 0n,
    bound.imageInput ? rates.imageInput : 0n,
  );

const outputRate = (rates: RateTable, bound: CallBound): bigint =>
  highest(rates.output, rates.reasoning, bound.audioOutput ? rates.audioOutput : 0n, bound.imageOutput ? rates.imageOutput : 0n);

const piecesCost = (rates: RateTable, { toolUses, calls = 1, seconds = 0, images = 0, characters = 0 }: CallBound): bigint =>
  rates.call * BigInt(calls) +
  rates.toolUse * BigInt(toolUses) +
  rates.second * BigInt(seconds) +
  rates.image * BigInt(images) +
  rates.character * BigInt(characters);

const fixedCost = (rates: RateTable, bound: CallBound): bigint =>
  BigInt(bound.promptTokens) * promptRate(rates, bound) + piecesCost(rates, bound) * 1_000_000n;

/** The most that a call within this bound can cost: no usage within it costs more (nano-dollars). */
export const worstCase = (bound: CallBound, price: ModelPrice, ratio: Ratio): Money => {
  let most = 0n;
  for (const rates of reachableRates(price, bound.promptTokens)) {
    const cost = fixedCost(rates, bound) + BigInt(bound.outputTokens) * outputRate(rates, bound);
    if (cost > most) most = cost;
  }
  return ceilDivide(most * BigInt(ratio), COST_DENOMINATOR) as Money;
};

/**
 * The most output tokens, over all choices together, with which the call's worst case stays within `amount`; never more
 * than the bound's own. Negative when the prompt alone is not covered.
 */
export const affordableOutput = (bound: CallBound, price: ModelPrice, ratio: Ratio, amount: Money): number => {
  if (ratio === 0) return bound.outputTokens;
  // ceil(cost × ratio ÷ D) ≤ amount holds exactly when cost × ratio ≤ amount × D.
  const room = (amount * COST_DENOMINATOR) / BigInt(ratio);
  let least = bound.outputTokens;
  for (const rates of reachableRates(price, bound.promptTokens)) {
    const left = room - fixedCost(rates, bound);
    if (left < 0n) return -1;
    const rate = outputRate(rates, bound);
    if (rate === 0n) continue;
    const tokens = left / rate;
    if (tokens < BigInt(least)) least = Number(tokens);
  }
  return least;
};
