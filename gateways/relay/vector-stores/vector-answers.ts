import { epochSeconds } from '../../../domain/kernel/iso-instant.ts';
import { NO_VECTOR_FILES, type VectorFileCounts } from '../../../projections/vector-files/queries.ts';
import type { VectorFileDocument } from '../../../projections/vector-files/tables.ts';
import type { VectorStoreDocument } from '../../../projections/vector-stores/tables.ts';
import type { VectorHit } from '../../ports/vector-searcher.ts';
import type { SeenBatch, SeenFile } from './vector-desk.ts';

type Json = Readonly<Record<string, unknown>>;

const fileCounts = ({ in_progress, completed, failed, cancelled }: VectorFileCounts): Json => ({
  ...{ in_progress, completed, failed, cancelled },
  total: in_progress + completed + failed + cancelled,
});

/** A store as OpenAI's clients know it, and the model that it is embedded with. */
export const storeAnswer = (
  store: Pick<VectorStoreDocument, 'storeId' | 'name' | 'metadata' | 'model' | 'at' | 'changedAt'>,
  counts: VectorFileCounts = NO_VECTOR_FILES,
): Json => ({
  id: store.storeId,
  object: 'vector_store',
  created_at: epochSeconds(store.at),
  name: store.name ?? '',
  usage_bytes: counts.bytes,
  file_counts: fileCounts(counts),
  status: counts.in_progress > 0 ? 'in_progress' : 'completed',
  expires_after: null,
  expires_at: null,
  last_active_at: epochSeconds(store.changedAt),
  metadata: store.metadata,
  embedding_model: store.model,
});

export const vectorFileAnswer = (
  file: Pick<VectorFileDocument, 'fileId' | 'storeId' | 'attributes' | 'chunking' | 'status' | 'bytes' | 'fault' | 'at'>,
): Json => ({
  id: file.fileId,
  object: 'vector_store.file',
  usage_bytes: file.bytes,
  created_at: epochSeconds(file.at),
  vector_store_id: file.storeId,
  status: file.status,
  last_error: file.fault,
  chunking_strategy: {
    type: 'static',
    static: { max_chunk_size_tokens: file.chunking.size, chunk_overlap_tokens: file.chunking.overlap },
  },
  attributes: file.attributes,
});

export const seenFileAnswer = ({ attached, status, indexed, fault }: SeenFile): Json =>
  vectorFileAnswer({ ...attached, status, bytes: indexed?.bytes ?? 0, fault });

/** Whose files no read model shows yet are under way. */
export const batchAnswer = ({ batchId, storeId, files, there, cancelled, at }: SeenBatch, counts: VectorFileCounts): Json => {
  const { failed } = counts;
  const completed = counts.completed + there;
  const rest = Math.max(0, files - completed - failed - counts.cancelled);
  return {
    id: batchId,
    object: 'vector_store.files_batch',
    created_at: epochSeconds(at),
    vector_store_id: storeId,
    status: cancelled ? 'cancelled' : rest > 0 ? 'in_progress' : 'completed',
    file_counts: {
      in_progress: cancelled ? 0 : rest,
      completed,
      failed,
      cancelled: counts.cancelled + (cancelled ? rest : 0),
      total: files,
    },
  };
};

export const hitAnswer = ({ fileId, filename, attributes, score }: VectorHit, text: string): Json => ({
  file_id: fileId,
  filename,
  // What points the other way is as far as can be, for clients that know scores from 0 to 1.
  score: Math.min(1, Math.max(0, score)),
  attributes,
  content: [{ type: 'text', text }],
});
