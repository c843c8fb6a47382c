import type { FilePage } from '../../projections/files/queries.ts';
import type { BatchPage } from '../../projections/batches/queries.ts';
import type { BatchDocument } from '../../projections/batches/tables.ts';
import type { FileDocument } from '../../projections/files/tables.ts';
import type { BatchId, TokenId, UserId } from '../../schemas/ids.ts';

/** What is known of many files and batches at once. It may be a moment behind. */
export interface FileLists {
  files(tokenId: TokenId, page: FilePage): Promise<readonly FileDocument[]>;
  /** What the files of one user that are kept here have together. */
  keptBytes(userId: UserId): Promise<number>;
  /** Newest first. */
  batches(tokenId: TokenId, page: BatchPage): Promise<readonly BatchDocument[]>;
  /** Those that something is left to be done for, the oldest first. */
  unsettled(limit: number): Promise<readonly BatchId[]>;
}
