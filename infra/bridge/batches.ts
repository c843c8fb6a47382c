import type { RecordedEvent } from '../../schemas/event-envelope.ts';

/** Of the JSON of data and metadata; Kafka's limit on a batch, as the topic is created, is far beyond what this leaves to envelopes. */
const LIMITS = { events: 500, bytes: 2_097_152 } as const;

/** Cuts events into batches of one transaction each, in order; a single event may be larger than the limit. */
export function* batchesOf(
  events: readonly RecordedEvent[],
  limits: { readonly events: number; readonly bytes: number } = LIMITS,
): Generator<RecordedEvent[]> {
  let batch: RecordedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = JSON.stringify(event.data).length + JSON.stringify(event.metadata).length;
    if (batch.length > 0 && (batch.length >= limits.events || bytes + size > limits.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(event);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
