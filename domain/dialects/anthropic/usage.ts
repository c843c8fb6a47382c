import type { Usage } from '../../../schemas/usage.ts';

/** Anthropic's classes of input do not include each other, as ours do not. */
export interface MessagesUsage {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
}

export const NO_USAGE: MessagesUsage = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 };

/** Our classes of tokens in Anthropic's. */
export const messagesUsage = (usage: Usage): MessagesUsage => ({
  input_tokens: (usage.input ?? 0) + (usage.audioInput ?? 0) + (usage.imageInput ?? 0),
  cache_creation_input_tokens: (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0),
  cache_read_input_tokens: usage.cachedInput ?? 0,
  output_tokens: (usage.output ?? 0) + (usage.reasoning ?? 0) + (usage.audioOutput ?? 0) + (usage.imageOutput ?? 0),
});
