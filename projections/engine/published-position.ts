import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { START, type Position } from '../../schemas/event-envelope.ts';
import type { Clock } from '../ports/clock.ts';
import type { RecordConsumer, Records } from '../ports/records.ts';

/** What the bridge writes beside each batch of events, in one transaction with it. */
const published = z.object({ position: z.string().regex(/^\d{1,19}$/) });

/** The least that brokers allow unless told otherwise: nobody shares the group, and whoever comes back waits for its former self to be given up. */
const SESSION_MS = 6_000;

const LOOKS = 40;
const LOOK_MS = 25;

/**
 * How far the bridge is, as readers of Kafka see it. A transaction is not seen in all partitions at one moment: where its position can be read,
 * some of its events may still be held back in partitions that seem to end before them. Only when another transaction was seen after it is it there as a
 * whole, since the bridge begins none before the last one is.
 */
export class PublishedPosition {
  readonly #consumer: RecordConsumer;
  #position: Position = START;
  #settled: Position = START;
  #changedAt = -Infinity;

  /** `group` is this reader's alone. */
  constructor(
    records: Records,
    {
      topic,
      group,
      clock,
      signal,
    }: { readonly topic: string; readonly group: string; readonly clock: Clock; readonly signal: AbortSignal },
  ) {
    this.#consumer = records.consume({
      group,
      topics: [topic],
      signal,
      sessionMs: SESSION_MS,
      handler: {
        assigned: () => Promise.resolve([]),
        batch: async ({ records: batch }) => {
          for (const { value } of batch) {
            if (value === null) continue;
            const position = BigInt(published.parse(JSON.parse(value.toString('utf8'))).position) as Position;
            this.#settled = this.#position;
            // A bridge that begins anew, on another topic of events, is behind until it is as far as the one before it.
            if (position <= this.#position) continue;
            this.#position = position;
            this.#changedAt = clock.now();
          }
        },
      },
    });
  }

  get ended(): Promise<void> {
    return this.#consumer.ended;
  }

  /** Every event up to here can be read from its partition. */
  get settled(): Position {
    return this.#settled;
  }

  /** The last that was read, and since when. */
  get known(): { readonly position: Position; readonly since: number } {
    return { position: this.#position, since: this.#changedAt };
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
