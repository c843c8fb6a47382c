import { z } from 'zod';

/** The fields of `POST /v1/embeddings` that we must read. `input` is text, texts, tokens, or lists of tokens. */
export const EmbeddingsRequest = z.looseObject({
  model: z.string().min(1).max(200),
  input: z.union([z.string().min(1), z.array(z.union([z.string(), z.int().nonnegative(), z.array(z.int().nonnegative())])).min(1)]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
});
export type EmbeddingsRequest = z.infer<typeof EmbeddingsRequest>;
