import { z } from 'zod';

const Document = z.union([z.string(), z.looseObject({})]);

/** The fields of a rerank call, of Jina's shape and of both of Cohere's, that we must read. */
export const RerankRequest = z.looseObject({
  model: z.string().min(1).max(200),
  query: z.union([z.string().min(1), z.looseObject({})]),
  documents: z.array(Document).min(1).max(10_000),
  top_n: z.int().positive().nullish(),
  return_documents: z.boolean().nullish(),
});
export type RerankRequest = z.infer<typeof RerankRequest>;
