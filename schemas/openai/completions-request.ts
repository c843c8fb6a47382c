import { z } from 'zod';
import { LARGEST_OUTPUT_LIMIT } from './chat-request.ts';

/** The fields of `POST /v1/completions` that decide who serves a call and what it may cost. `prompt` is text, texts, tokens, or lists of tokens. */
export const CompletionsRequest = z.looseObject({
  model: z.string().min(1).max(200),
  prompt: z.union([z.string(), z.array(z.union([z.string(), z.int().nonnegative(), z.array(z.int().nonnegative())])).max(2_048)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().nonnegative().max(LARGEST_OUTPUT_LIMIT).nullish(),
  n: z.int().min(1).max(128).nullish(),
  best_of: z.int().min(0).max(128).nullish(),
  echo: z.boolean().nullish(),
});
export type CompletionsRequest = z.infer<typeof CompletionsRequest>;
