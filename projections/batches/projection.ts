import { batchEvents } from '../../schemas/events/batch.ts';
import type { BatchEvent } from '../../schemas/events/catalogue.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { BatchDocument, BATCHES } from './tables.ts';

const evolve = (doc: BatchDocument | undefined, event: ProjectedEvent<BatchEvent['type']>): BatchDocument | undefined => {
  if (event.type === 'BatchSubmitted') {
    const { batchId, userId, tokenId, inputFileId, endpoint, window, requests, at } = event.data;
    return {
      ...{ batchId, userId, tokenId, inputFileId, endpoint, window, requests, at },
      ...{ state: 'submitted', settled: false, outputFileId: null, errorFileId: null, succeeded: 0, failed: 0, endedAt: null },
      position: event.position.toString(),
    };
  }
  if (doc === undefined) return undefined;
  switch (event.type) {
    case 'BatchStarted':
      return { ...doc, state: 'started' };
    case 'BatchEnded': {
      const { status, outputFileId, errorFileId, succeeded, failed, at } = event.data;
      return { ...doc, state: status, outputFileId, errorFileId, succeeded, failed, endedAt: at };
    }
    case 'BatchSettled':
      return { ...doc, settled: true };
    case 'BatchDeleted':
      return { ...doc, deleted: true };
    case 'BatchMeasured':
      return doc;
  }
};

/** Batches, by whose they are and whether anything is left to be done for them. */
export const batches = documentProjection({
  ...BATCHES,
  types: Object.keys(batchEvents) as readonly BatchEvent['type'][],
  schema: BatchDocument,
  indexes: [`((doc->>'tokenId'))`, `((doc->>'settled'))`],
  keyOf: ({ data }) => data.batchId,
  evolve,
});
