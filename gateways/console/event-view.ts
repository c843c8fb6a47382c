import type { z } from 'zod';
import type { JsonValue, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { EventView } from '../../schemas/http/events.ts';

const SEALED = /^env1\./;

/** Sealed values and key hashes stay where they are: nobody who reads along needs them. */
const masked = (value: JsonValue | undefined, name: string): unknown => {
  if (typeof value === 'string') return SEALED.test(value) || name === 'keyHash' ? '••••••' : value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => masked(item, name));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value as Record<string, JsonValue | undefined>).map(([key, inner]) => [key, masked(inner, key)]),
    );
  return value;
};

/** An event as people are shown it. */
export const eventView = ({
  position,
  stream,
  revision,
  eventId,
  type,
  schemaVersion,
  recordedAt,
  data,
  metadata,
}: RecordedEvent): z.output<typeof EventView> => {
  const { correlationId, causationId, commandId, actor, tenant, occurredAt, traceparent } = metadata;
  return {
    position: position.toString(),
    stream,
    revision,
    eventId,
    type,
    schemaVersion,
    recordedAt,
    data: masked(data, '') as Record<string, unknown>,
    metadata: { correlationId, causationId, commandId, actor, tenant, occurredAt, ...(traceparent === undefined ? {} : { traceparent }) },
  };
};
