import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { START, type Position } from '../../schemas/event-envelope.ts';
import type { RecordConsumer, Records } from '../ports/records.ts';

/** What the bridge writes beside each batch of events, in one transaction with it. */
const published = z.object({ position: z.string().regex(/^\d{1,19}$/) });

/** The least that brokers allow unless told otherwise: nobody shares the group, and whoever comes back waits for its former self to be given up. */
const SESSION_MS = 6_000;

const LOOKS = 40;
const LOOK_MS = 25;

/** How far the bridge is, as readers of Kafka see it: every event up to there is in the topic of events. */
export class PublishedPosition {
  readonly #consumer: RecordConsumer;
  #position: Position = START;

  /** `group` is this reader's alone. */
  constructor(
    records: Records,
    { topic, group, signal }: { readonly topic: string; readonly group: string; readonly signal: AbortSignal },
  ) {
    this.#consumer = records.consume({
      group,
      topics: [topic],
      signal,
      sessionMs: SESSION_MS,
      handler: {
        assigned: () => Promise.resolve([]),
        batch: async ({ records: batch }) => {
          const last = batch.at(-1)?.value;
          if (last === null || last === undefined) return;
          const position = BigInt(published.parse(JSON.parse(last.toString('utf8'))).position) as Position;
          // A bridge that was killed may have left a topic behind that another one begins anew.
          if (position > this.#position) this.#position = position;
        },
      },
    });
  }

  get ended(): Promise<void> {
    return this.#consumer.ended;
  }

  /** The last that was read; the bridge may be further. */
  get known(): Position {
    return this.#position;
  }

  /** Where the bridge was when this was asked, or further; `null` when Kafka does not say. */
  async current(): Promise<Position | null> {
    let end: bigint | null = null;
    for (let look = 0; look < LOOKS; look++) {
      const [lag] = await this.#consumer.lag();
      if (lag !== undefined) {
        end ??= lag.end;
        if (lag.next >= end) return this.#position;
      }
      await pause(LOOK_MS);
    }
    return null;
  }
}
