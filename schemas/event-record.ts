import { z } from 'zod';
import { Actor, type EventMetadata, type JsonObject, type Position, type RecordedEvent } from './event-envelope.ts';
import type { EventId, StreamName } from './ids.ts';

/** An event as a record of Kafka: keyed by its stream, complete in its value, and told apart by its headers without reading that. */
export interface EventRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Names of the headers. */
export const EVENT_HEADERS = { eventId: 'event-id', position: 'position', type: 'type', schemaVersion: 'schema-version' } as const;

const wire = z.object({
  eventId: z.string().min(1),
  stream: z.string().min(1),
  revision: z.number().int().nonnegative(),
  /** In decimal: it may be beyond what a JSON number holds exactly. */
  position: z.string().regex(/^\d{1,19}$/),
  type: z.string().min(1),
  schemaVersion: z.number().int().positive(),
  recordedAt: z.string().min(1),
  data: z.record(z.string(), z.unknown()),
  metadata: z.looseObject({ commandId: z.string(), correlationId: z.string(), causationId: z.string(), actor: Actor, tenant: z.string() }),
});

export const toEventRecord = (event: RecordedEvent): EventRecord => {
  const { eventId, stream, revision, type, schemaVersion, recordedAt, data, metadata } = event;
  const position = String(event.position);
  return {
    key: stream,
    value: JSON.stringify({ eventId, stream, revision, position, type, schemaVersion, recordedAt, data, metadata }),
    headers: {
      [EVENT_HEADERS.eventId]: eventId,
      [EVENT_HEADERS.position]: position,
      [EVENT_HEADERS.type]: type,
      [EVENT_HEADERS.schemaVersion]: String(schemaVersion),
    },
  };
};

/**
 * The event that a record's value holds.
 *
 * @throws SyntaxError or ZodError when it holds none.
 */
export const fromEventRecord = (value: string): RecordedEvent => {
  const parsed = wire.parse(JSON.parse(value));
  return {
    ...parsed,
    eventId: parsed.eventId as EventId,
    stream: parsed.stream as StreamName,
    position: BigInt(parsed.position) as Position,
    data: parsed.data as JsonObject,
    metadata: parsed.metadata as unknown as EventMetadata,
  };
};
