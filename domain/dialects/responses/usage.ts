import type { Usage } from '../../../schemas/usage.ts';

/** In the Responses API the totals include their details. */
export interface ResponseUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

/** Our classes of tokens, which do not include each other, in the form of the Responses API. */
export const responseUsage = (usage: Usage): ResponseUsage => {
  const cached = usage.cachedInput ?? 0;
  const written = (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0);
  const reasoning = usage.reasoning ?? 0;
  const input = (usage.input ?? 0) + (usage.audioInput ?? 0) + (usage.imageInput ?? 0) + cached + written;
  const output = (usage.output ?? 0) + (usage.audioOutput ?? 0) + (usage.imageOutput ?? 0) + reasoning;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
};
