import { z } from 'zod';
import { FileId, TokenId, UserId, VectorBatchId, VectorFileId, VectorStoreId } from '../ids.ts';
import { Instant } from '../time.ts';

/** What whoever made something says of it, for himself. */
export const StoreMetadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((said) => Object.keys(said).length <= 16, 'at most 16 keys');
export type StoreMetadata = z.infer<typeof StoreMetadata>;

/** What can be filtered by. */
export const FileAttributes = z
  .record(z.string().min(1).max(64), z.union([z.string().max(512), z.number(), z.boolean()]))
  .refine((said) => Object.keys(said).length <= 16, 'at most 16 keys');
export type FileAttributes = z.infer<typeof FileAttributes>;

const Store = { storeId: VectorStoreId, userId: UserId, at: Instant };

export const vectorStoreEvents = {
  VectorStoreCreated: z.object({
    ...Store,
    tokenId: TokenId,
    name: z.string().max(256).nullable(),
    metadata: StoreMetadata,
    /** What its files and what is searched for are embedded with. */
    model: z.string().min(1).max(200),
  }),
  VectorStoreChanged: z.object({ ...Store, name: z.string().max(256).nullable(), metadata: StoreMetadata }),
  VectorStoreDeleted: z.object(Store),
} as const;

/** A cut of a text into chunks: the most tokens of each, and how many it shares with the one before it. */
export const Chunking = z
  .strictObject({ size: z.int().min(100).max(4_096), overlap: z.int().nonnegative() })
  .refine(({ size, overlap }) => overlap * 2 <= size, 'overlap: at most half the size');
export type Chunking = z.infer<typeof Chunking>;

export const VectorFileFault = z.enum(['server_error', 'unsupported_file', 'invalid_file']);
export type VectorFileFault = z.infer<typeof VectorFileFault>;

const Attached = { vectorFileId: VectorFileId, storeId: VectorStoreId, fileId: FileId, userId: UserId, at: Instant };

/** One stream for each file of a store, however often it is put there. */
export const vectorFileEvents = {
  VectorFileAttached: z.object({
    ...Attached,
    tokenId: TokenId,
    batchId: VectorBatchId.nullable(),
    filename: z.string().max(300),
    attributes: FileAttributes,
    chunking: Chunking,
    model: z.string().min(1).max(200),
  }),
  VectorFileIndexed: z.object({
    ...Attached,
    chunks: z.int().positive(),
    dimensions: z.int().positive(),
    /** What its texts and vectors take. */
    bytes: z.int().nonnegative(),
  }),
  VectorFileFailed: z.object({ ...Attached, code: VectorFileFault, message: z.string().max(500) }),
  VectorFileCancelled: z.object(Attached),
  VectorFileDescribed: z.object({ ...Attached, attributes: FileAttributes }),
  VectorFileRemoved: z.object(Attached),
} as const;

export const vectorBatchEvents = {
  VectorBatchCreated: z.object({
    batchId: VectorBatchId,
    ...Store,
    tokenId: TokenId,
    files: z.int().positive(),
    /** Those of them that were in the store before. */
    there: z.int().nonnegative(),
  }),
  VectorBatchCancelled: z.object({ batchId: VectorBatchId, ...Store }),
} as const;
