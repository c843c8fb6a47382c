import type { EventMetadata, JsonObject, Position, RecordedEvent, Revision } from '../../schemas/event-envelope.ts';
import type { EventId, StreamName } from '../../schemas/ids.ts';

/** An event as it lies in a store, its bodies still JSON text. */
export interface StoredEvent {
  readonly position: Position;
  readonly stream: string;
  readonly revision: Revision;
  readonly eventId: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly recordedAt: string;
  readonly data: string;
  readonly metadata: string;
}

/** What a reader gets. The text was made by `JSON.stringify` from a checked event, so it parses to one. */
export const toRecorded = (stored: StoredEvent): RecordedEvent => ({
  eventId: stored.eventId as EventId,
  stream: stored.stream as StreamName,
  revision: stored.revision,
  position: stored.position,
  type: stored.type,
  schemaVersion: stored.schemaVersion,
  recordedAt: stored.recordedAt,
  data: JSON.parse(stored.data) as JsonObject,
  metadata: JSON.parse(stored.metadata) as EventMetadata,
});

/** ISO 8601 of epoch milliseconds, remembering the last: the events of one batch all carry the same. */
export const isoClock = (): ((epochMs: number) => string) => {
  let lastMs = Number.NaN;
  let lastText = '';
  return (epochMs) => {
    if (epochMs !== lastMs) {
      lastMs = epochMs;
      lastText = new Date(epochMs).toISOString();
    }
    return lastText;
  };
};
