import type { ExportEvent } from '../../schemas/events/catalogue.ts';
import { exportEvents } from '../../schemas/events/export.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { ExportDocument, EXPORTS } from './tables.ts';

type ExportEventType = ExportEvent['type'];

const evolve = (
  doc: ExportDocument | undefined,
  { type, data, position, occurredAt }: ProjectedEvent<ExportEventType>,
): ExportDocument | undefined => {
  if (type === 'ExportRequested') {
    const { exportId, requestedBy, rows, format } = data;
    return {
      exportId,
      requestedBy,
      rows,
      format,
      state: 'requested',
      requestedAt: occurredAt,
      requestedPosition: position.toString(),
      file: null,
      reason: null,
    };
  }
  if (doc === undefined) return undefined;
  switch (type) {
    case 'ExportCompleted': {
      const { exportId: _exportId, ...file } = data;
      return { ...doc, state: 'completed', file, reason: null };
    }
    case 'ExportFailed':
      return { ...doc, state: 'failed', reason: data.reason };
    case 'ExportCancelled':
      return { ...doc, state: 'cancelled' };
    case 'ExportExpired':
      return { ...doc, state: 'expired' };
  }
};

/** Files that people asked for, and what became of them. */
export const exports = documentProjection({
  ...EXPORTS,
  types: Object.keys(exportEvents) as readonly ExportEventType[],
  schema: ExportDocument,
  indexes: [`((doc->>'requestedBy'))`, `((doc->>'state'))`],
  keyOf: ({ data }) => data.exportId,
  evolve,
});
