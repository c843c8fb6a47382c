import { z } from 'zod';
import { BatchId, FileId, TokenId, UserId } from '../../schemas/ids.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const FILES = { name: 'files', version: 2 } as const;

export const fileTable = tableName(FILES.name, FILES.version);

export const FileDocument = z.object({
  fileId: FileId,
  userId: UserId,
  tokenId: TokenId,
  filename: z.string(),
  purpose: z.string(),
  bytes: z.int(),
  at: Instant,
  expiresAt: Instant.nullable(),
  madeBy: BatchId.nullable(),
  /** It is kept here, and not at an upstream. */
  kept: z.boolean(),
  /** Where it was uploaded: what pages are ordered by. A decimal text, for it outgrows what a JSON number holds. */
  position: z.string(),
});
export type FileDocument = z.infer<typeof FileDocument>;
