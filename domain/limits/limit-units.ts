import type { LimitRule } from '../../schemas/limits.ts';
import type { Money } from '../../schemas/money.ts';
import type { Allowance } from './allowance.ts';

/** Money is counted in micro-dollars: nano-dollars would leave the integers that a number holds. */
export const MICRO_DOLLAR = 1_000n;

/** Micro-dollars, rounded up: what costs anything counts. */
export const microDollars = (amount: Money): number => Number((amount + MICRO_DOLLAR - 1n) / MICRO_DOLLAR);

/** Evenly spaced, so a tenth of a window at most comes ahead of time; of calls, one. */
const EVENLY = 10;

/** A rule that counts over time, as its numbers. */
export const allowanceOf = (rule: Exclude<LimitRule, { measure: 'inFlight' }>): Allowance => {
  const amount = rule.measure === 'money' ? microDollars(rule.amount) : rule.amount;
  const usual = rule.algorithm === 'tokenBucket' ? amount : rule.measure === 'requests' ? 1 : Math.max(1, Math.ceil(amount / EVENLY));
  return { algorithm: rule.algorithm, amount, window: rule.window, burst: rule.burst ?? usual };
};
