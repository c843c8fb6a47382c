import type { Countable } from '../../../domain/tokens/chat-text.ts';
import type { TokenCounter } from '../../ports/token-counter.ts';
import type { Usage } from '../../../schemas/usage.ts';

export const countTokens = async (counter: TokenCounter, { texts, tokens }: Countable): Promise<number> =>
  tokens + (texts.length === 0 ? 0 : await counter.count(texts));

/** Tokens in and tokens out, counted here. */
export const countBoth = async (counter: TokenCounter, prompt: Countable, produced: Countable): Promise<Usage> => {
  const [input, output] = await Promise.all([countTokens(counter, prompt), countTokens(counter, produced)]);
  return { ...(input > 0 ? { input } : {}), ...(output > 0 ? { output } : {}) };
};
