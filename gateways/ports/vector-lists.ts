import type { VectorFileCounts, VectorFilePage } from '../../projections/vector-files/queries.ts';
import type { VectorFileDocument } from '../../projections/vector-files/tables.ts';
import type { Window } from '../../projections/vector-stores/queries.ts';
import type { VectorStoreDocument } from '../../projections/vector-stores/tables.ts';
import type { TokenId, VectorBatchId, VectorStoreId } from '../../schemas/ids.ts';

/** What is known of many vector stores and their files at once. It may be a moment behind. */
export interface VectorLists {
  stores(tokenId: TokenId, page: Window<VectorStoreId>): Promise<readonly VectorStoreDocument[]>;
  files(storeId: VectorStoreId, page: VectorFilePage): Promise<readonly VectorFileDocument[]>;
  counts(storeIds: readonly VectorStoreId[]): Promise<ReadonlyMap<string, VectorFileCounts>>;
  batchCounts(batchId: VectorBatchId): Promise<VectorFileCounts>;
}
