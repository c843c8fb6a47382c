import { z } from 'zod';
import { Chunking, FileAttributes, VectorFileFault } from '../../schemas/events/vector-store.ts';
import { FileId, TokenId, UserId, VectorBatchId, VectorFileId, VectorStoreId } from '../../schemas/ids.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const VECTOR_FILES = { name: 'vector-files', version: 1 } as const;

export const vectorFileTable = tableName(VECTOR_FILES.name, VECTOR_FILES.version);

export const VectorFileStatus = z.enum(['in_progress', 'completed', 'failed', 'cancelled']);
export type VectorFileStatus = z.infer<typeof VectorFileStatus>;

export const VectorFileDocument = z.object({
  vectorFileId: VectorFileId,
  storeId: VectorStoreId,
  fileId: FileId,
  userId: UserId,
  tokenId: TokenId,
  batchId: VectorBatchId.nullable(),
  filename: z.string(),
  attributes: FileAttributes,
  chunking: Chunking,
  status: VectorFileStatus,
  /** What its texts and vectors take; 0 before they are there. */
  bytes: z.int(),
  fault: z.object({ code: VectorFileFault, message: z.string() }).nullable(),
  at: Instant,
  /** Where it was put into the store: what pages are ordered by. A decimal text. */
  position: z.string(),
});
export type VectorFileDocument = z.infer<typeof VectorFileDocument>;
