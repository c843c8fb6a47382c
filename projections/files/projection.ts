import type { FileEvent } from '../../schemas/events/catalogue.ts';
import { fileEvents } from '../../schemas/events/file.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { FileDocument, FILES } from './tables.ts';

const evolve = (doc: FileDocument | undefined, event: ProjectedEvent<FileEvent['type']>): FileDocument | undefined => {
  if (event.type === 'FileDeleted') return undefined;
  const { fileId, userId, tokenId, filename, purpose, bytes, at, expiresAt, madeBy = null } = event.data;
  return doc ?? { fileId, userId, tokenId, filename, purpose, bytes, at, expiresAt, madeBy, position: event.position.toString() };
};

/** Files at upstreams that are not deleted, by whose they are. */
export const files = documentProjection({
  ...FILES,
  types: Object.keys(fileEvents) as readonly FileEvent['type'][],
  schema: FileDocument,
  indexes: [`((doc->>'tokenId'))`],
  keyOf: ({ data }) => data.fileId,
  evolve,
});
