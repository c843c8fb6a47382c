import { vectorFileStream } from '../../domain/vectors/vector-file.ts';
import type { VectorFileEvent } from '../../schemas/events/catalogue.ts';
import { vectorFileEvents } from '../../schemas/events/vector-store.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { VECTOR_FILES, VectorFileDocument } from './tables.ts';

const evolve = (doc: VectorFileDocument | undefined, event: ProjectedEvent<VectorFileEvent['type']>): VectorFileDocument | undefined => {
  if (event.type === 'VectorFileAttached') {
    const { vectorFileId, storeId, fileId, userId, tokenId, batchId, filename, attributes, chunking, at } = event.data;
    return {
      ...{ vectorFileId, storeId, fileId, userId, tokenId, batchId, filename, attributes, chunking, at },
      ...{ status: 'in_progress', bytes: 0, fault: null, position: event.position.toString() },
    };
  }
  // Of an earlier time that it was there.
  if (doc?.vectorFileId !== event.data.vectorFileId) return doc;
  switch (event.type) {
    case 'VectorFileIndexed':
      return { ...doc, status: 'completed', bytes: event.data.bytes, fault: null };
    case 'VectorFileFailed':
      return { ...doc, status: 'failed', fault: { code: event.data.code, message: event.data.message } };
    case 'VectorFileCancelled':
      return { ...doc, status: 'cancelled' };
    case 'VectorFileDescribed':
      return { ...doc, attributes: event.data.attributes };
    case 'VectorFileRemoved':
      return undefined;
  }
};

/** Files in vector stores. */
export const vectorFiles = documentProjection({
  ...VECTOR_FILES,
  types: Object.keys(vectorFileEvents) as readonly VectorFileEvent['type'][],
  schema: VectorFileDocument,
  indexes: [`((doc->>'storeId'))`, `((doc->>'fileId'))`, `((doc->>'batchId'))`],
  keyOf: ({ data }) => vectorFileStream(data.storeId, data.fileId),
  evolve,
});
