import type { Money } from '../../schemas/money.ts';
import type { ModelPrice, Ratio } from '../../schemas/price.ts';
import { atRatio, COST_DENOMINATOR } from './cost.ts';
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

const higher = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Nobody knows beforehand which tokens a cache will take or a model will think, so each is taken at the dearest class it may fall in. */
const promptRate = (rates: RateTable, bound: CallBound): bigint => {
  let rate = higher(higher(rates.input, rates.cachedInput), higher(rates.cacheWrite5m, rates.cacheWrite1h));
  if (bound.audioInput) rate = higher(rate, rates.audioInput);
  if (bound.imageInput) rate = higher(rate, rates.imageInput);
  return rate;
};

const outputRate = (rates: RateTable, bound: CallBound): bigint => {
  let rate = higher(rates.output, rates.reasoning);
  if (bound.audioOutput) rate = higher(rate, rates.audioOutput);
  if (bound.imageOutput) rate = higher(rate, rates.imageOutput);
  return rate;
};

/** Most calls have none of most pieces, and a product of bigints takes as long where it is 0. */
const times = (rate: bigint, pieces: number): bigint => (pieces === 0 ? 0n : rate * BigInt(pieces));

const piecesCost = (rates: RateTable, { toolUses, calls = 1, seconds = 0, images = 0, characters = 0 }: CallBound): bigint =>
  times(rates.call, calls) +
  times(rates.toolUse, toolUses) +
  times(rates.second, seconds) +
  times(rates.image, images) +
  times(rates.character, characters);

const fixedCost = (rates: RateTable, bound: CallBound): bigint =>
  BigInt(bound.promptTokens) * promptRate(rates, bound) + piecesCost(rates, bound) * 1_000_000n;

/** The most that a call within this bound can cost: no usage within it costs more (nano-dollars). `outputTokens`: in place of the bound's own. */
export const worstCase = (bound: CallBound, price: ModelPrice, ratio: Ratio, outputTokens: number = bound.outputTokens): Money => {
  let most = 0n;
  for (const rates of reachableRates(price, bound.promptTokens)) {
    const cost = fixedCost(rates, bound) + BigInt(outputTokens) * outputRate(rates, bound);
    if (cost > most) most = cost;
  }
  return atRatio(most, ratio);
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
