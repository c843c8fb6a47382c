import { z } from 'zod';

/** Anthropic's own limit. */
const MOST_REQUESTS = 100_000;

/** What Anthropic's batches are made from. What each request asks for is read as a call of its own would be. */
export const MessageBatchRequest = z.strictObject({
  requests: z
    .array(z.strictObject({ custom_id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), params: z.record(z.string(), z.unknown()) }))
    .min(1)
    .max(MOST_REQUESTS),
});
export type MessageBatchRequest = z.infer<typeof MessageBatchRequest>;

export const MessageBatchId = z.string().regex(/^msgbatch_[0-9A-Za-z]{1,64}$/);

export const MessageBatchesQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(20),
  after_id: MessageBatchId.optional(),
  before_id: MessageBatchId.optional(),
});
