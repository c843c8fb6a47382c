import { setTimeout as pause } from 'node:timers/promises';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { status } from '@grpc/grpc-js';
import { LogUnavailable } from '../../../commands/log-unavailable.ts';
import type { ReadAllOptions, ReadStreamOptions } from '../../../commands/ports/event-log.ts';
import { START } from '../../../schemas/event-envelope.ts';
import type { EventFilter, Position, RecordedEvent } from '../../../schemas/event-envelope.ts';
import type { StreamName } from '../../../schemas/ids.ts';
import { backoffMs } from '../backoff.ts';
import { toError } from '../log-fault.ts';
import { STEP_LIMITS } from '../log-step.ts';
import type { LogStep } from '../log-step.ts';
import { isoClock, toRecorded } from '../stored-event.ts';
import { wants } from '../wanted.ts';
import type { Connection } from './connection.ts';
import { found } from './event-codec.ts';
import type { FoundEvent } from './event-codec.ts';
import { readAllRequest, readStreamRequest } from './read-request.ts';

const MAX_REVISION = 2_147_483_647;
/** How long a read that is not a subscription is tried again after a loss of connection. */
const RETRY_MS = 5_000;
/** How many events are looked at, one page after the other, for the last one that is not the store's own. */
const HEAD_PAGES = [1, 16, 128, 512] as const;

/** What a read brought. `isEnd` says that nothing lay beyond. */
interface Page {
  readonly events: readonly FoundEvent[];
  readonly isEnd: boolean;
}

/** What lies after a position; `isPlace` when an event lies at the position itself. */
interface Later extends Page {
  readonly isPlace: boolean;
}

/** A record of the log has more than this beside its bodies. */
const LEAST_RECORD_BYTES = 64n;
/** The store's own events that may lie among those that a short read is after. */
const SPARE = 8;

const codeOf = (error: Error): unknown => (error as { readonly code?: unknown }).code;

/** What a server says of a read from a number that is no event's position: there is no status of its own for it. */
const REFUSALS: ReadonlySet<unknown> = new Set([status.INVALID_ARGUMENT, status.UNKNOWN, status.INTERNAL, status.OUT_OF_RANGE]);

/** Whether a server may have refused a call because it was to begin where no event lies. */
export const isRefusedPlace = (error: Error): boolean => REFUSALS.has(codeOf(error));

/** Errors after which the same read has no better chance: who asks must be told now. */
const LASTING: ReadonlySet<unknown> = new Set([
  status.INVALID_ARGUMENT,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.UNIMPLEMENTED,
]);

const lastOurs = (events: readonly FoundEvent[]): FoundEvent | undefined => events.findLast(({ stored }) => stored !== null);

export interface ReaderOptions {
  /** For one page, in ms. */
  readonly deadlineMs: number;
  /** How far back, in positions (which are bytes of the log here), an event is sought from behind before it is from the start. */
  readonly seekBytes: bigint;
}

/** Reads in bounded pages, each with a deadline. */
export class Reader {
  /** As the connection string prefers: for subscriptions, which may be a moment behind. What was read there never says how far the log goes. */
  readonly #near: Connection;
  readonly #leader: Connection;
  readonly #options: ReaderOptions;
  readonly #iso = isoClock();
  #closed = false;
  /** After `after` there is nothing of ours up to `through`: so the store's own events need not be read again. */
  #quiet: { readonly after: Position; readonly through: Position } | undefined;

  constructor(near: Connection, leader: Connection, options: ReaderOptions) {
    this.#near = near;
    this.#leader = leader;
    this.#options = options;
  }

  /** Up to `count` events of a request that asks for `count`; fewer when their bodies are large. */
  async #page(connection: Connection, request: ReadReq, count: number): Promise<Page> {
    const events: FoundEvent[] = [];
    let bytes = 0;
    for await (const message of connection.read(request, { deadlineMs: this.#options.deadlineMs })) {
      const event = found(message, this.#iso);
      if (event === undefined) continue;
      events.push(event);
      if (event.stored !== null) bytes += event.stored.data.length + event.stored.metadata.length;
      if (bytes >= STEP_LIMITS.bytes && events.length < count) return { events, isEnd: false };
    }
    return { events, isEnd: events.length < count };
  }

  async #again<T>(read: () => Promise<T>): Promise<T> {
    const until = performance.now() + RETRY_MS;
    for (let attempt = 0; ; attempt++) {
      try {
        return await read();
      } catch (thrown) {
        const error = toError(thrown);
        if (this.#closed || LASTING.has(codeOf(error))) throw error;
        const wait = backoffMs(attempt);
        if (performance.now() + wait > until) throw new LogUnavailable(error);
        await pause(wait);
      }
    }
  }

  /** The position of the last event that this log has written. */
  head(): Promise<Position> {
    return this.#again(() => this.#head());
  }

  async #head(): Promise<Position> {
    let from: Position | 'end' = 'end';
    for (let page = 0; ; page++) {
      const count = HEAD_PAGES[Math.min(page, HEAD_PAGES.length - 1)] as number;
      const { events } = await this.#page(this.#leader, readAllRequest(from, count, 'backwards'), count);
      const ours = events.find(({ stored }) => stored !== null);
      if (ours !== undefined) return ours.position;
      const last = events.at(-1);
      if (last === undefined) return START;
      from = last.position;
    }
  }

  /**
   * The first events after a position, whether an event lies there or not. A server reads on from the place of an event only, so another
   * number is first taken for one that somebody counted back from, and then sought from behind.
   */
  async #after(connection: Connection, after: Position, count: number, end: Position | undefined): Promise<Later> {
    const from = async (place: Position | 'start'): Promise<Later> => {
      // The event at the place itself comes along.
      const asked = count + 1;
      const { events, isEnd } = await this.#page(connection, readAllRequest(place, asked, 'forwards'), asked);
      return { events: events.filter(({ position }) => position > after), isEnd, isPlace: events[0]?.position === after };
    };
    if (after === START) return from('start');
    try {
      return await from(after);
    } catch (thrown) {
      if (!isRefusedPlace(toError(thrown))) throw thrown;
    }
    try {
      return await from((after + 1n) as Position);
    } catch (thrown) {
      if (!isRefusedPlace(toError(thrown))) throw thrown;
    }
    // One place was asked for, and no event lies at it.
    if (end !== undefined && end <= after + 1n) return { events: [], isEnd: true, isPlace: false };
    return { ...(await this.#seek(connection, after)), isPlace: false };
  }

  async #seek(connection: Connection, after: Position): Promise<Page> {
    const head = await this.#head();
    if (head <= after) return { events: [], isEnd: true };
    if (head - after <= this.#options.seekBytes) {
      let events: FoundEvent[] = [];
      for (let from: Position | 'end' = 'end'; ;) {
        const page: Page = await this.#page(connection, readAllRequest(from, STEP_LIMITS.events, 'backwards'), STEP_LIMITS.events);
        const later = page.events.filter(({ position }) => position > after);
        // What lies nearest is all that is handed over: the rest is read on from there.
        events = [...later.toReversed(), ...events.slice(0, STEP_LIMITS.events)];
        if (later.length < page.events.length || page.events.length === 0) return { events, isEnd: false };
        from = (page.events.at(-1) as FoundEvent).position;
      }
    }
    let place: Position | 'start' = 'start';
    for (;;) {
      const page: Page = await this.#page(connection, readAllRequest(place, STEP_LIMITS.events, 'forwards'), STEP_LIMITS.events);
      const events = page.events.filter(({ position }) => position > after);
      if (events.length > 0 || page.isEnd) return { events, isEnd: page.isEnd };
      place = (page.events.at(-1) as FoundEvent).position;
    }
  }

  /** What lies after a position. Does not try again by itself. */
  async step(after: Position, filter: EventFilter | undefined): Promise<LogStep> {
    const isWanted = wants(filter);
    let place = this.#quiet?.after === after ? this.#quiet.through : after;
    for (;;) {
      const { events, isEnd, isPlace } = await this.#after(this.#near, place, STEP_LIMITS.events, undefined);
      const ours = lastOurs(events);
      const last = events.at(-1);
      if (ours !== undefined) {
        const stored = events.flatMap((event) => (event.stored !== null && isWanted(event.stored) ? [event.stored] : []));
        // Whether more lies beyond shows in the next step; until then this much is known of the head.
        const head = isEnd ? ours.position : ((ours.position + 1n) as Position);
        return { events: stored.map(toRecorded), through: ours.position, head };
      }
      if (last !== undefined) {
        place = last.position;
        this.#quiet = { after, through: place };
      }
      if (!isEnd) continue;
      // A log that has lost what its reader has seen looks like one without news.
      const head = isPlace || place === START || last !== undefined ? after : await this.#head();
      return { events: [], through: after, head: head < after ? head : after };
    }
  }

  /** Ends at the head as it was when the reading began. */
  async *all({ after = START, upTo, filter, limit = Infinity }: ReadAllOptions): AsyncGenerator<RecordedEvent, void, undefined> {
    if (limit <= 0) return;
    const head = await this.head();
    const end = upTo !== undefined && upTo < head ? upTo : head;
    const isWanted = wants(filter);
    let left = limit;
    for (let place = after; place < end;) {
      // No more than may be wanted, and than there can be in so many bytes.
      const room = Number((end - place) / LEAST_RECORD_BYTES) + 1;
      const count = Math.min(STEP_LIMITS.events, room, filter === undefined ? left + SPARE : Infinity);
      const { events, isEnd } = await this.#again(() => this.#after(this.#leader, place, count, end));
      for (const { position, stored } of events) {
        if (position > end) return;
        place = position;
        if (stored === null || !isWanted(stored)) continue;
        yield toRecorded(stored);
        left -= 1;
        if (left <= 0) return;
      }
      if (isEnd || events.length === 0) return;
    }
  }

  async *stream(
    name: StreamName,
    { from, limit = Infinity, direction = 'forwards' }: ReadStreamOptions,
  ): AsyncGenerator<RecordedEvent, void, undefined> {
    for await (const { stored } of this.#inStream(name, from, limit, direction)) if (stored !== null) yield toRecorded(stored);
  }

  /**
   * What a stream holds from a revision on, bodies and all: a server has no shorter answer to which events are there. Does not try again by
   * itself: whoever appends does.
   */
  async *places(name: string, from: number): AsyncGenerator<FoundEvent, void, undefined> {
    yield* this.#inStream(name, from, Infinity, 'forwards', (read) => read());
  }

  async *#inStream(
    name: string,
    from: number | undefined,
    limit: number,
    direction: 'forwards' | 'backwards',
    trying: (read: () => Promise<Page>) => Promise<Page> = (read) => this.#again(read),
  ): AsyncGenerator<FoundEvent, void, undefined> {
    let place: number | 'end' = from ?? (direction === 'forwards' ? 0 : 'end');
    if (place !== 'end' && place > MAX_REVISION) place = direction === 'forwards' ? MAX_REVISION : 'end';
    for (let left = limit; left > 0;) {
      const count = Math.min(left, STEP_LIMITS.events);
      const asked = place;
      const { events, isEnd } = await trying(() => this.#page(this.#leader, readStreamRequest(name, asked, count, direction), count));
      for (const event of events) yield event;
      const last = events.at(-1);
      if (last === undefined || (isEnd && count === STEP_LIMITS.events)) return;
      left -= events.length;
      place = last.revision + (direction === 'forwards' ? 1 : -1);
      if (place < 0) return;
    }
  }

  /** Where an event of a stream lies in the log. */
  async positionOf(name: string, revision: number): Promise<Position> {
    for await (const { position } of this.#inStream(name, revision, 1, 'forwards')) return position;
    throw new Error(`There is no event ${revision} in ${name}.`);
  }

  close(): void {
    this.#closed = true;
  }
}
