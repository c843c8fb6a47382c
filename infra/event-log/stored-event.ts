import type { EventMetadata, JsonObject, Position, RecordedEvent, Revision } from '../../schemas/event-envelope.ts';
import type { EventId, StreamName } from '../../schemas/ids.ts';

/** An event as it lies in a store, its bodies still JSON text. What has them in another form makes the text when it is asked for it. */
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

/**
 * What a reader gets. The text was made by `JSON.stringify` from a checked event, so it parses to one. It is parsed when it is
 * looked at: between being read and being used an event often waits, and text is far less to carry along than what it parses to.
 */
class ReadEvent implements RecordedEvent {
  readonly eventId: EventId;
  readonly stream: StreamName;
  readonly revision: Revision;
  readonly position: Position;
  readonly type: string;
  readonly schemaVersion: number;
  readonly recordedAt: string;
  readonly #stored: Pick<StoredEvent, 'data' | 'metadata'>;
  #data: JsonObject | undefined;
  #metadata: EventMetadata | undefined;

  constructor(stored: StoredEvent) {
    this.eventId = stored.eventId as EventId;
    this.stream = stored.stream as StreamName;
    this.revision = stored.revision;
    this.position = stored.position;
    this.type = stored.type;
    this.schemaVersion = stored.schemaVersion;
    this.recordedAt = stored.recordedAt;
    this.#stored = stored;
  }

  get data(): JsonObject {
    return (this.#data ??= JSON.parse(this.#stored.data) as JsonObject);
  }

  get metadata(): EventMetadata {
    return (this.#metadata ??= JSON.parse(this.#stored.metadata) as EventMetadata);
  }
}
// Whoever compares or lists members finds these two like the others.
for (const name of ['data', 'metadata']) Object.defineProperty(ReadEvent.prototype, name, { enumerable: true });

export const toRecorded = (stored: StoredEvent): RecordedEvent => new ReadEvent(stored);

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
