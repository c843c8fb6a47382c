import { z } from 'zod';
import { BatchEndpoint } from '../events/batch.ts';
import { BatchId, FileId } from '../ids.ts';

/** What OpenAI's batches are made from. What is not named here is refused: nobody could say what it costs. */
export const BatchRequest = z.strictObject({
  input_file_id: FileId,
  endpoint: BatchEndpoint.exclude(['/v1/messages']),
  completion_window: z.string().min(1).max(16),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  output_expires_after: z.strictObject({ anchor: z.literal('created_at'), seconds: z.int().positive() }).optional(),
});

const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);

export const FilesQuery = z.object({
  purpose: z.string().max(64).optional(),
  limit: limit(10_000, 1_000),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: FileId.optional(),
});

export const BatchesQuery = z.object({ limit: limit(100, 20), after: BatchId.optional() });
