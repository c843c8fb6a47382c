import { OUTPUT_CLASSES, PROMPT_CLASSES } from '../../domain/pricing/rates.ts';
import type { TokenClass, Usage } from '../../schemas/usage.ts';

/** The three figures that people are shown. Classes never overlap, so sums of them are exact. */
export interface TokenTotals {
  /** All that the model read, cached or not, in any medium. */
  readonly input: number;
  /** Of that, what was read from a cache. */
  readonly cached: number;
  /** All that the model wrote, its reasoning included. */
  readonly output: number;
}

const sumOf = (usage: Usage, classes: readonly TokenClass[]): number => {
  let total = 0;
  for (const usageClass of classes) total += usage[usageClass] ?? 0;
  return total;
};

export const tokenTotals = (usage: Usage): TokenTotals => ({
  input: sumOf(usage, PROMPT_CLASSES),
  cached: usage.cachedInput ?? 0,
  output: sumOf(usage, OUTPUT_CLASSES),
});
