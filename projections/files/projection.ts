import type { FileEvent } from '../../schemas/events/catalogue.ts';
import { fileEvents } from '../../schemas/events/file.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { FileDocument, FILES } from './tables.ts';

const evolve = (doc: FileDocument | undefined, event: ProjectedEvent<FileEvent['type']>): FileDocument | undefined => {
  switch (event.type) {
    case 'FileUploaded': {
      const { fileId, userId, tokenId, filename, purpose, bytes, at, expiresAt, madeBy = null } = event.data;
      const position = event.position.toString();
      return doc ?? { fileId, userId, tokenId, filename, purpose, bytes, at, expiresAt, madeBy, kept: false, position };
    }
    case 'FileKept':
      return doc ?? { ...event.data, expiresAt: null, madeBy: null, kept: true, position: event.position.toString() };
    case 'FileDeleted':
      return undefined;
  }
};

/** Files that are not deleted, at upstreams and here, by whose they are. */
export const files = documentProjection({
  ...FILES,
  types: Object.keys(fileEvents) as readonly FileEvent['type'][],
  schema: FileDocument,
  indexes: [`((doc->>'tokenId'))`, `((doc->>'userId'))`],
  keyOf: ({ data }) => data.fileId,
  evolve,
});
