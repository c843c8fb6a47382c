import { z } from 'zod';

/** What a provider offers, in the words of OpenAI's endpoints. */
export const Capability = z.enum([
  'chat',
  'responses',
  'embeddings',
  'images',
  'speech',
  'transcription',
  'moderation',
  'rerank',
  'video',
  'realtime',
  'batches',
  'files',
]);
export type Capability = z.infer<typeof Capability>;
