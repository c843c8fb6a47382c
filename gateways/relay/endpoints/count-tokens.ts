import type { Countable } from '../../../domain/tokens/chat-text.ts';
import type { TokenCounter } from '../../ports/token-counter.ts';
import type { Usage } from '../../../schemas/usage.ts';

/** Counts for one model, by the name that tells its family. */
export interface ModelCounter {
  readonly model: string;
  count(texts: readonly string[]): Promise<number>;
}

export const counterFor = (counter: TokenCounter, model: string): ModelCounter => ({
  model,
  count: (texts) => counter.count(texts, model),
});

export const countTokens = async (counter: ModelCounter, { texts, tokens }: Countable): Promise<number> =>
  tokens + (texts.length === 0 ? 0 : await counter.count(texts));

/** Tokens in and tokens out, counted here. */
export const countBoth = async (counter: ModelCounter, prompt: Countable, produced: Countable): Promise<Usage> => {
  const [input, output] = await Promise.all([countTokens(counter, prompt), countTokens(counter, produced)]);
  return { ...(input > 0 ? { input } : {}), ...(output > 0 ? { output } : {}) };
};
