import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { EventFeed } from '../ports/event-feed.ts';

/** Read ahead of the database, so that a busy log is taken in large batches; beyond this the log waits. */
const MOST_AHEAD = 5_000;

/**
 * How long the log is left alone after it had something new. Other processes tell of their appends two hundred times a second; to read a dozen events as
 * often costs several times what it takes to project them.
 */
const REST_MS = 100;

export interface FeedBatch {
  readonly events: readonly RecordedEvent[];
  /** Everything at or before it has been handed out. */
  readonly position: Position;
}

/** A subscription read in the background and handed out in batches, in order and each event once. */
export class FeedQueue {
  readonly #abort = new AbortController();
  readonly #events: RecordedEvent[] = [];
  #taken: Position;
  /** Nothing beyond the queued events is known to lie at or before it. */
  #seen: Position;
  #caughtUp = false;
  #failure: unknown = null;
  #wakeReader: (() => void) | null = null;
  #wakeTaker: (() => void) | null = null;
  #endRest: (() => void) | null = null;
  readonly #isHurried: () => boolean;
  /** When something last came, by `performance.now()`. */
  #cameAt = Number.NEGATIVE_INFINITY;
  /** So many events wake whoever waits; fewer do not. */
  #wakeAt = 0;
  readonly #reading: Promise<void>;

  /** `isHurried`: somebody waits for what may be in the log already. Whoever begins to must {@link wake} the queue. */
  constructor(feed: EventFeed, after: Position, isHurried: () => boolean) {
    this.#isHurried = isHurried;
    this.#taken = after;
    this.#seen = after;
    this.#reading = this.#read(feed, after).catch((error: unknown) => {
      this.#failure = error;
      this.#wakeTaker?.();
    });
  }

  /** All that was in the log when it was asked has been handed out. */
  get caughtUp(): boolean {
    return this.#caughtUp && this.#events.length === 0;
  }

  /** Whether {@link take} has anything to say. Throws when the subscription has ended with an error. */
  get ready(): boolean {
    if (this.#failure !== null)
      throw this.#failure instanceof Error ? this.#failure : new Error('the subscription failed', { cause: this.#failure });
    return this.#events.length > 0 || this.#seen > this.#taken;
  }

  /**
   * Resolves when something arrives or, given so many events, when there are as many; when {@link wake} is called or the subscription fails; or
   * after a time in milliseconds.
   */
  async wait(milliseconds?: number, events = 0): Promise<void> {
    this.#wakeAt = events;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wakeTaker = resolve;
      if (milliseconds !== undefined) timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
    this.#wakeTaker = null;
  }

  wake(): void {
    this.#endRest?.();
    this.#wakeTaker?.();
  }

  take(most: number): FeedBatch {
    const events = this.#events.splice(0, most);
    this.#taken = this.#events.length === 0 ? this.#seen : (events.at(-1)?.position ?? this.#taken);
    this.#wakeReader?.();
    return { events, position: this.#taken };
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#endRest?.();
    this.#wakeReader?.();
    await this.#reading;
  }

  async #rest(): Promise<void> {
    const left = this.#cameAt + REST_MS - performance.now();
    if (left <= 0 || this.#isHurried()) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#endRest = resolve;
      timer = setTimeout(resolve, left);
    });
    clearTimeout(timer);
    this.#endRest = null;
  }

  async #read(feed: EventFeed, after: Position): Promise<void> {
    for await (const message of feed.subscribe({ after, signal: this.#abort.signal, rest: () => this.#rest() })) {
      if (message.kind === 'events') {
        this.#cameAt = performance.now();
        for (const event of message.events) {
          // A log may deliver again what it delivered before its connection broke.
          if (event.position <= this.#seen) continue;
          this.#events.push(event);
          this.#seen = event.position;
        }
      } else {
        if (message.position > this.#seen) this.#seen = message.position;
        if (message.kind === 'caughtUp') this.#caughtUp = true;
      }
      if (this.#events.length >= this.#wakeAt) this.#wakeTaker?.();
      while (this.#events.length >= MOST_AHEAD && !this.#abort.signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
        this.#wakeReader = null;
      }
      if (this.#abort.signal.aborted) return;
    }
  }
}
