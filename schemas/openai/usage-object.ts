import { z } from 'zod';

const Count = z.unknown();

/**
 * The `usage` object of an answer, as upstreams of all makes send it. Counts stay `unknown`: telling a sane count from a
 * string, a fraction or a negative is a decision about money and is made in `domain/pricing/openai-usage.ts`.
 */
export const UsageObject = z.looseObject({
  prompt_tokens: Count.optional(),
  completion_tokens: Count.optional(),
  total_tokens: Count.optional(),
  prompt_tokens_details: z
    .looseObject({
      cached_tokens: Count.optional(),
      cache_write_tokens: Count.optional(),
      audio_tokens: Count.optional(),
      image_tokens: Count.optional(),
    })
    .nullish()
    .catch(null),
  completion_tokens_details: z
    .looseObject({ reasoning_tokens: Count.optional(), audio_tokens: Count.optional(), image_tokens: Count.optional() })
    .nullish()
    .catch(null),
  /** DeepSeek's name for cached input. */
  prompt_cache_hit_tokens: Count.optional(),
  /** Moonshot's. */
  cached_tokens: Count.optional(),
});
export type UsageObject = z.infer<typeof UsageObject>;
