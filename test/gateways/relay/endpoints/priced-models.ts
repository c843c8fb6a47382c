import type { Money } from '../../../../schemas/money.ts';
import type { ModelKind, ModelPrice, Rates } from '../../../../schemas/price.ts';

const perMillion = (nanoDollars: bigint): Money => nanoDollars as Money;

const RATES = {
  chat: { input: perMillion(2_000_000_000n), output: perMillion(8_000_000_000n) },
  completion: { input: perMillion(1_500_000_000n), output: perMillion(2_000_000_000n) },
  embedding: { input: perMillion(100_000_000n) },
  rerank: { input: perMillion(50_000_000n) },
  image: { input: perMillion(5_000_000_000n), imageInput: perMillion(10_000_000_000n), imageOutput: perMillion(40_000_000_000n) },
  speech: { input: perMillion(2_500_000_000n), audioOutput: perMillion(12_000_000_000n) },
  transcription: { second: 100_000n as Money },
  moderation: { input: perMillion(1_000_000_000n) },
  video: { second: 100_000_000n as Money },
} as const satisfies Partial<Record<ModelKind, Rates>>;

type Priced = keyof typeof RATES;

/** Kinds of models that can be called; each is the name of a model too. */
export const MODEL_KINDS = Object.keys(RATES) as readonly Priced[];

export const priceOfKind = (kind: Priced): ModelPrice => ({ model: kind, kind, rates: RATES[kind] });
