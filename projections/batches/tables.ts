import { z } from 'zod';
import { BatchEnd, BatchEndpoint } from '../../schemas/events/batch.ts';
import { BatchId, FileId, TokenId, UserId } from '../../schemas/ids.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const BATCHES = { name: 'batches', version: 1 } as const;

export const batchTable = tableName(BATCHES.name, BATCHES.version);

export const BatchDocument = z.object({
  batchId: BatchId,
  userId: UserId,
  tokenId: TokenId,
  inputFileId: FileId.nullable(),
  endpoint: BatchEndpoint,
  window: z.string(),
  requests: z.int(),
  state: z.enum(['submitted', 'started', ...BatchEnd.options]),
  settled: z.boolean(),
  deleted: z.literal(true).optional(),
  outputFileId: FileId.nullable(),
  errorFileId: FileId.nullable(),
  succeeded: z.int(),
  failed: z.int(),
  at: Instant,
  endedAt: Instant.nullable(),
  /** Where it was submitted: what pages are ordered by. A decimal text, for it outgrows what a JSON number holds. */
  position: z.string(),
});
export type BatchDocument = z.infer<typeof BatchDocument>;
