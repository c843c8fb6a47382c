import { z } from 'zod';
import { FileAttributes, StoreMetadata } from '../events/vector-store.ts';
import { FileId, VectorStoreId } from '../ids.ts';

const MOST_FILES = 500;

const SIZE = 800;
const OVERLAP = 400;

/** OpenAI's own; `auto` is the static one with its usual figures. */
export const ChunkingStrategy = z.union([
  z.strictObject({ type: z.literal('auto') }).transform(() => ({ size: SIZE, overlap: OVERLAP })),
  z
    .strictObject({
      type: z.literal('static'),
      static: z
        .strictObject({
          max_chunk_size_tokens: z.int().min(100).max(4_096).default(SIZE),
          chunk_overlap_tokens: z.int().nonnegative().default(OVERLAP),
        })
        .refine(({ max_chunk_size_tokens: size, chunk_overlap_tokens: overlap }) => overlap * 2 <= size, {
          path: ['chunk_overlap_tokens'],
          message: 'at most half of max_chunk_size_tokens',
        }),
    })
    .transform(({ static: { max_chunk_size_tokens: size, chunk_overlap_tokens: overlap } }) => ({ size, overlap })),
]);

const chunkingStrategy = ChunkingStrategy.nullish().transform((chunking) => chunking ?? { size: SIZE, overlap: OVERLAP });
const attributes = FileAttributes.nullish().transform((said) => said ?? {});

export const CreateVectorStore = z.strictObject({
  name: z.string().max(256).nullish(),
  metadata: StoreMetadata.nullish(),
  file_ids: z.array(FileId).max(MOST_FILES).nullish(),
  chunking_strategy: chunkingStrategy,
  /** Not OpenAI's: the model that its files and what is searched for are embedded with. */
  embedding_model: z.string().min(1).max(200).nullish(),
  /** Only that there is none. */
  expires_after: z.null().optional(),
});

export const ChangeVectorStore = z.strictObject({
  name: z.string().max(256).nullish(),
  metadata: StoreMetadata.nullish(),
  expires_after: z.null().optional(),
});

export const AttachFile = z.strictObject({ file_id: FileId, attributes, chunking_strategy: chunkingStrategy });

export const DescribeFile = z.strictObject({ attributes });

export const CreateFileBatch = z
  .strictObject({
    file_ids: z.array(FileId).min(1).max(MOST_FILES).optional(),
    files: z.array(AttachFile).min(1).max(MOST_FILES).optional(),
    attributes: attributes,
    chunking_strategy: chunkingStrategy,
  })
  .refine(({ file_ids: ids, files }) => (ids === undefined) !== (files === undefined), 'give either file_ids or files');

const limit = z.coerce.number().int().min(1).max(100).default(20);
const order = z.enum(['asc', 'desc']).default('desc');

export const VectorStoresQuery = z.object({ limit, order, after: VectorStoreId.optional(), before: VectorStoreId.optional() });

export const VectorFilesQuery = z.object({
  limit,
  order,
  after: FileId.optional(),
  before: FileId.optional(),
  filter: z.enum(['in_progress', 'completed', 'failed', 'cancelled']).optional(),
});
