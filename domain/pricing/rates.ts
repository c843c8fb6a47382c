import type { ModelPrice, Rates } from '../../schemas/price.ts';
import type { TokenClass, UnitClass } from '../../schemas/usage.ts';

/** Classes that add up to the prompt an upstream reports. */
export const PROMPT_CLASSES = [
  'input',
  'cachedInput',
  'cacheWrite5m',
  'cacheWrite1h',
  'audioInput',
  'imageInput',
] as const satisfies readonly TokenClass[];

/** Classes that add up to what was produced. */
export const OUTPUT_CLASSES = ['output', 'reasoning', 'audioOutput', 'imageOutput'] as const satisfies readonly TokenClass[];

/** A rate for every class: nano-dollars per million tokens, or per piece. */
export type RateTable = { readonly [C in TokenClass | UnitClass]: bigint };

/**
 * The rates of one table, with the class a finer one falls back to where a price names no rate of its own: a cached token is
 * an input token until somebody gives a discount for it, and a class never becomes free by being forgotten.
 */
const tableOf = (rates: Rates): RateTable => {
  const input = rates.input ?? 0n;
  const output = rates.output ?? 0n;
  return {
    input,
    cachedInput: rates.cachedInput ?? input,
    cacheWrite5m: rates.cacheWrite5m ?? input,
    cacheWrite1h: rates.cacheWrite1h ?? rates.cacheWrite5m ?? input,
    audioInput: rates.audioInput ?? input,
    imageInput: rates.imageInput ?? input,
    output,
    reasoning: rates.reasoning ?? output,
    audioOutput: rates.audioOutput ?? output,
    imageOutput: rates.imageOutput ?? output,
    call: rates.call ?? 0n,
    second: rates.second ?? 0n,
    toolUse: rates.toolUse ?? 0n,
    image: rates.image ?? 0n,
    character: rates.character ?? 0n,
  };
};

interface Step {
  readonly abovePromptTokens: number;
  readonly table: RateTable;
}

interface Steps {
  readonly steps: readonly Step[];
  readonly tables: readonly RateTable[];
}

const stepsByPrice = new WeakMap<ModelPrice, Steps>();

/** The rate tables of a price, the highest threshold first; the last one has none. Made once per price: this is on the way of every call. */
const stepsOf = (price: ModelPrice): Steps => {
  const known = stepsByPrice.get(price);
  if (known !== undefined) return known;
  const steps = (price.tiers ?? [])
    .map(({ abovePromptTokens, rates }) => ({ abovePromptTokens, table: tableOf({ ...price.rates, ...rates }) }))
    .sort((a, b) => b.abovePromptTokens - a.abovePromptTokens);
  const whole = [...steps, { abovePromptTokens: -1, table: tableOf(price.rates) }];
  const all: Steps = { steps: whole, tables: whole.map(({ table }) => table) };
  stepsByPrice.set(price, all);
  return all;
};

/** The rates that hold for a call with a prompt of this length. */
export const ratesFor = (price: ModelPrice, promptTokens: number): RateTable => {
  const { steps } = stepsOf(price);
  for (const step of steps) if (promptTokens > step.abovePromptTokens) return step.table;
  return (steps[steps.length - 1] as Step).table;
};

/** Every table that could hold for a prompt of at most this length. */
export const reachableRates = (price: ModelPrice, promptTokens: number): readonly RateTable[] => {
  const { steps, tables } = stepsOf(price);
  if (steps.length === 1) return tables;
  return steps.filter((step) => promptTokens > step.abovePromptTokens).map((step) => step.table);
};
