import type { VectorStoreEvent } from '../../schemas/events/catalogue.ts';
import { vectorStoreEvents } from '../../schemas/events/vector-store.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { VECTOR_STORES, VectorStoreDocument } from './tables.ts';

const evolve = (doc: VectorStoreDocument | undefined, event: ProjectedEvent<VectorStoreEvent['type']>): VectorStoreDocument | undefined => {
  switch (event.type) {
    case 'VectorStoreCreated':
      return doc ?? { ...event.data, changedAt: event.data.at, position: event.position.toString() };
    case 'VectorStoreChanged': {
      const { name, metadata, at } = event.data;
      return doc === undefined ? undefined : { ...doc, name, metadata, changedAt: at };
    }
    case 'VectorStoreDeleted':
      return undefined;
  }
};

/** Vector stores that are not deleted, by whose they are. */
export const vectorStores = documentProjection({
  ...VECTOR_STORES,
  types: Object.keys(vectorStoreEvents) as readonly VectorStoreEvent['type'][],
  schema: VectorStoreDocument,
  indexes: [`((doc->>'tokenId'))`],
  keyOf: ({ data }) => data.storeId,
  evolve,
});
