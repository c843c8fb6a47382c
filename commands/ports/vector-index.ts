import type { FileAttributes } from '../../schemas/events/vector-store.ts';
import type { FileId, UserId, VectorFileId, VectorStoreId } from '../../schemas/ids.ts';

/** A file's place in the index. */
export interface IndexedFile {
  readonly vectorFileId: VectorFileId;
  readonly storeId: VectorStoreId;
  readonly userId: UserId;
  readonly fileId: FileId;
  readonly filename: string;
  readonly attributes: FileAttributes;
}

/** What is taken out of the index: it is found no more, and never put there again. */
export type Removal =
  { readonly vectorFileIds: readonly VectorFileId[] } | { readonly storeId: VectorStoreId } | { readonly fileId: FileId };

/** What vectors are searched in. It may be lost: it is filled again from the vectors that are kept. Rejects where it cannot be reached. */
export interface VectorIndex {
  /**
   * Puts a file's vectors there; twice is as good as once. Chunks are numbered from 0 in the order in which they come. False: it
   * was removed, before or meanwhile.
   */
  fill(file: IndexedFile, vectors: AsyncIterable<readonly Float32Array[]>): Promise<boolean>;
  describe(vectorFileId: VectorFileId, attributes: FileAttributes): Promise<void>;
  remove(removal: Removal): Promise<void>;
}
