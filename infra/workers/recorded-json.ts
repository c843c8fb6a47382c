import type { JsonObject, Position, RecordedEvent } from '../../schemas/event-envelope.ts';

export type StoredEvent = Omit<RecordedEvent, 'position'> & { readonly position: string };

/** Body and metadata are named: what is parsed when it is looked at is in no copy of the rest. */
export const recordedToJson = (event: RecordedEvent): JsonObject => ({
  ...event,
  position: event.position.toString(),
  data: event.data,
  metadata: { ...event.metadata },
});

export const recordedFromJson = (stored: StoredEvent): RecordedEvent => ({ ...stored, position: BigInt(stored.position) as Position });
