import type { FileId, UserId, VectorFileId, VectorStoreId } from '../../schemas/ids.ts';

/** One time that a file was put into a store. */
export interface VectorPlace {
  readonly vectorFileId: VectorFileId;
  readonly storeId: VectorStoreId;
  readonly fileId: FileId;
  readonly userId: UserId;
}

/** What read models know of files in stores; it may be a moment behind. */
export interface VectorPlaces {
  ofStore(storeId: VectorStoreId, limit: number): Promise<readonly VectorPlace[]>;
  ofFile(fileId: FileId): Promise<readonly VectorPlace[]>;
}
