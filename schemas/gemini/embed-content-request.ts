import { z } from 'zod';
import { Part } from './generate-content-request.ts';

/** `models/{model}:embedContent` of Gemini's format, names of members in camel case. */
export const EmbedContentRequest = z.looseObject({
  model: z.string().max(300).optional(),
  content: z.looseObject({ parts: z.array(Part).min(1) }),
  outputDimensionality: z.int().positive().nullish(),
});
export type EmbedContentRequest = z.infer<typeof EmbedContentRequest>;

/** `models/{model}:batchEmbedContents`. */
export const BatchEmbedContentsRequest = z.looseObject({ requests: z.array(EmbedContentRequest).min(1).max(2_048) });
