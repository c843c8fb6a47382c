import { expect } from 'chai';
import type { EventFeed } from '../../../projections/ports/event-feed.ts';
import type { Records } from '../../../projections/ports/records.ts';
import type { RecordedEvent } from '../../../schemas/event-envelope.ts';
import { EVENT_HEADERS, fromEventRecord } from '../../../schemas/event-record.ts';
import { startReader } from './reading.ts';
import type { ReadRecord } from './reading.ts';

const eventOf = ({ key, value, headers }: ReadRecord): RecordedEvent => {
  const event = fromEventRecord(value?.toString('utf8') ?? '');
  expect(key).to.equal(event.stream);
  expect(headers).to.deep.equal({
    [EVENT_HEADERS.eventId]: event.eventId,
    [EVENT_HEADERS.position]: String(event.position),
    [EVENT_HEADERS.type]: event.type,
    [EVENT_HEADERS.schemaVersion]: String(event.schemaVersion),
  });
  return event;
};

/** What a consumer of the events sees. */
export interface BridgedEvents {
  /** What committed readers were given so far, in the order of each partition. */
  readonly events: readonly RecordedEvent[];
  /** Resolves once that many were given. */
  seen(count: number): Promise<void>;
  stop(): Promise<void>;
}

let readers = 0;

/** Follows the topic of events as any consumer does. */
export function readBridgedEvents(records: Records, topic: string): BridgedEvents {
  const reader = startReader(records, { group: `${topic}-reader-${(readers += 1)}`, topics: [topic], concurrency: 4, sessionMs: 6_000 });
  const events: RecordedEvent[] = [];
  const take = (): number => {
    for (const record of reader.records.splice(0)) events.push(eventOf(record));
    return events.length;
  };
  return {
    get events() {
      take();
      return events;
    },
    seen: (count) => reader.changed.until(() => take() >= count),
    stop: () => reader.stop(),
  };
}

const plain = ({ eventId, stream, revision, position, type, schemaVersion, recordedAt, data, metadata }: RecordedEvent) => ({
  eventId,
  stream,
  revision,
  position,
  type,
  schemaVersion,
  recordedAt,
  data,
  metadata,
});

/** Every event of the log was given once, as it is, and those of a stream in its order. */
export async function expectAllOnce(feed: EventFeed, given: readonly RecordedEvent[]): Promise<void> {
  const next = new Map<string, number>();
  for (const { stream, revision } of given) {
    expect(revision, `the next event of ${stream}`).to.equal(next.get(stream) ?? 0);
    next.set(stream, revision + 1);
  }
  const inOrder = [...given].sort((a, b) => (a.position < b.position ? -1 : 1)).map(plain);
  const all: ReturnType<typeof plain>[] = [];
  for await (const event of feed.readAll()) all.push(plain(event));
  expect(inOrder.length).to.equal(all.length);
  expect(inOrder).to.deep.equal(all);
}
