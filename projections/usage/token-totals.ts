import { OUTPUT_CLASSES, PROMPT_CLASSES } from '../../domain/pricing/rates.ts';
import { USAGE_CLASSES, type TokenClass, type Usage, type UsageClass } from '../../schemas/usage.ts';

/** The three figures that people are shown. Classes never overlap, so sums of them are exact. */
export interface TokenTotals {
  /** All that the model read, cached or not, in any medium. */
  readonly input: number;
  /** Of that, what was read from a cache. */
  readonly cached: number;
  /** All that the model wrote, its reasoning included. */
  readonly output: number;
}

const isOf = (classes: readonly TokenClass[]): Readonly<Record<string, boolean>> =>
  Object.fromEntries(USAGE_CLASSES.map((usageClass) => [usageClass, (classes as readonly string[]).includes(usageClass)]));

const IS_PROMPT = isOf(PROMPT_CLASSES);
const IS_OUTPUT = isOf(OUTPUT_CLASSES);

/** A call has quantities of a few classes: those it has are gone through, not all that there are. */
export const tokenTotals = (usage: Usage): TokenTotals => {
  let input = 0;
  let output = 0;
  for (const usageClass in usage) {
    const quantity = usage[usageClass as UsageClass] ?? 0;
    if (IS_PROMPT[usageClass]) input += quantity;
    else if (IS_OUTPUT[usageClass]) output += quantity;
  }
  return { input, cached: usage.cachedInput ?? 0, output };
};
