import { z } from 'zod';
import { StoreMetadata } from '../../schemas/events/vector-store.ts';
import { TokenId, UserId, VectorStoreId } from '../../schemas/ids.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const VECTOR_STORES = { name: 'vector-stores', version: 1 } as const;

export const vectorStoreTable = tableName(VECTOR_STORES.name, VECTOR_STORES.version);

export const VectorStoreDocument = z.object({
  storeId: VectorStoreId,
  userId: UserId,
  tokenId: TokenId,
  name: z.string().nullable(),
  metadata: StoreMetadata,
  model: z.string(),
  at: Instant,
  changedAt: Instant,
  /** Where it was created: what pages are ordered by. A decimal text, for it outgrows what a JSON number holds. */
  position: z.string(),
});
export type VectorStoreDocument = z.infer<typeof VectorStoreDocument>;
