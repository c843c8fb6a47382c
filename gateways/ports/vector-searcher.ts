import type { FileAttributes } from '../../schemas/events/vector-store.ts';
import type { FileId, UserId, VectorFileId, VectorStoreId } from '../../schemas/ids.ts';
import type { AttributeFilter } from '../../schemas/openai/vector-search-request.ts';

export interface VectorQuestion {
  readonly storeId: VectorStoreId;
  /** Whose store it is: nothing of anybody else's is ever found. */
  readonly userId: UserId;
  readonly vector: Float32Array;
  readonly filter: AttributeFilter | null;
  readonly limit: number;
}

export interface VectorHit {
  readonly vectorFileId: VectorFileId;
  readonly fileId: FileId;
  readonly filename: string;
  readonly attributes: FileAttributes;
  /** From 0, in the order of the file. */
  readonly chunk: number;
  /** The cosine of the angle between the two: 1 is the same direction. */
  readonly score: number;
}

/** Finds what is near. Rejects where it cannot be reached. */
export interface VectorSearcher {
  /** The nearest first. */
  search(question: VectorQuestion): Promise<readonly VectorHit[]>;
}
