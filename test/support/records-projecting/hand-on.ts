import type { EventFeed } from '../../../projections/ports/event-feed.ts';
import type { OutgoingRecord, RecordPublisher, Records } from '../../../projections/ports/records.ts';
import type { Position, RecordedEvent } from '../../../schemas/event-envelope.ts';
import { toEventRecord } from '../../../schemas/event-record.ts';
import { topicsOf } from './following.ts';

/** Hands events on to Kafka when it is told to, with the mistakes that it is told to make. */
export class HandOn {
  readonly #publisher: RecordPublisher;
  readonly #feed: EventFeed;
  readonly #topics: ReturnType<typeof topicsOf>;
  #position = 0n as Position;

  constructor(records: Records, feed: EventFeed, prefix: string) {
    this.#publisher = records.publisher(`${prefix}bridge`);
    this.#feed = feed;
    this.#topics = topicsOf(prefix);
  }

  async events(after: Position, upTo: Position): Promise<readonly RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const event of this.#feed.readAll({ after, upTo })) events.push(event);
    return events;
  }

  /** All that the log has more, in transactions of so many. */
  async all(batch = 40): Promise<Position> {
    const events = await this.events(this.#position, await this.#feed.head());
    for (let at = 0; at < events.length; at += batch) {
      const part = events.slice(at, at + batch);
      this.#position = part.at(-1)?.position ?? this.#position;
      await this.publish(part, this.#position);
    }
    return this.#position;
  }

  async publish(events: readonly RecordedEvent[], position: Position): Promise<void> {
    const records: OutgoingRecord[] = events.map((event) => ({ topic: this.#topics.events, ...toEventRecord(event) }));
    records.push({
      topic: this.#topics.position,
      key: 'events',
      value: JSON.stringify({ position: String(position), fence: '1', holder: 'test' }),
    });
    for (;;) {
      const { outcome } = await this.#publisher.publish(records);
      if (outcome === 'published') return;
    }
  }

  close(): Promise<void> {
    return this.#publisher.close();
  }
}
