import { LogUnavailable } from '../../commands/log-unavailable.ts';
import type {
  AppendOutcome,
  EventLog,
  ReadAllOptions,
  ReadStreamOptions,
  StreamAppend,
  SubscribeOptions,
} from '../../commands/ports/event-log.ts';
import { categoryOf } from '../../domain/kernel/stream-name.ts';
import {
  START,
  type EventFilter,
  type ExpectedRevision,
  type LogMessage,
  type Position,
  type RecordedEvent,
  type Revision,
} from '../../schemas/event-envelope.ts';
import { LOG_LIMITS } from '../../schemas/log-limits.ts';

export interface MemoryLogOptions {
  /** Time that goes into `recordedAt`, in milliseconds since the epoch; each append is a second later than the one before unless given. */
  readonly now?: () => number;
  /** Most events in one message of a subscription. */
  readonly batchSize?: number;
}

/** An event log that lives and dies with the test, with the outcomes, order and limits of the real ones and faults on demand. */
export interface MemoryLog extends EventLog {
  /** Everything there is, in order. */
  readonly events: readonly RecordedEvent[];
  /** The next `append` answers `unknown` for its whole batch, which was `written` all the same or was not. */
  loseNextAnswer(written: boolean): void;
  /** From now on nothing answers: appends are `unknown`, reads and `head` throw, subscriptions stand still, until {@link MemoryLog.mend}. */
  cut(): void;
  mend(): void;
  /** Every live subscription delivers its latest batch again, as a log may after its connection broke. */
  redeliver(): void;
}

const accepts = (filter: EventFilter | undefined, event: RecordedEvent): boolean =>
  (filter?.types === undefined || filter.types.includes(event.type)) &&
  (filter?.categories === undefined || filter.categories.includes(categoryOf(event.stream)));

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const brokenLimit = ({ events }: StreamAppend): Extract<AppendOutcome, { outcome: 'rejected' }> | null => {
  const rejected = (reason: Extract<AppendOutcome, { outcome: 'rejected' }>['reason'], message: string) =>
    ({ outcome: 'rejected', reason, message }) as const;
  if (events.length === 0) return rejected('append_empty', 'an append holds at least one event');
  if (events.length > LOG_LIMITS.appendEvents)
    return rejected('append_too_large', `an append holds at most ${LOG_LIMITS.appendEvents} events, not ${events.length}`);
  const sizes = events.map((event) => bytesOf(event.data));
  const largest = Math.max(...sizes);
  if (largest > LOG_LIMITS.eventBytes)
    return rejected('event_too_large', `an event holds at most ${LOG_LIMITS.eventBytes} bytes, not ${largest}`);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return total > LOG_LIMITS.appendBytes
    ? rejected('append_too_large', `an append holds at most ${LOG_LIMITS.appendBytes} bytes, not ${total}`)
    : null;
};

const meets = (expected: ExpectedRevision, actual: Revision | 'no_stream'): boolean => {
  if (expected === 'any') return true;
  return expected === 'stream_exists' ? actual !== 'no_stream' : expected === actual;
};

/** @see MemoryLog */
export const memoryLog = ({ now, batchSize = 500 }: MemoryLogOptions = {}): MemoryLog => {
  const all: RecordedEvent[] = [];
  const streams = new Map<string, RecordedEvent[]>();
  const byId = new Map<string, RecordedEvent>();
  const waiting = new Set<() => void>();
  let lastPosition: Position = START;
  let clock = Date.UTC(2026, 0, 1);
  let lostAnswer: 'written' | 'dropped' | null = null;
  let isCut = false;
  let redeliveries = 0;

  const wake = (): void => {
    for (const resume of [...waiting]) resume();
  };
  const assertReachable = (): void => {
    if (isCut) throw new LogUnavailable(new Error('the connection died'));
  };

  const appendOne = (append: StreamAppend): AppendOutcome => {
    const broken = brokenLimit(append);
    if (broken !== null) return broken;
    const stream = streams.get(append.stream) ?? [];
    const actual: Revision | 'no_stream' = stream.length === 0 ? 'no_stream' : stream.length - 1;

    const known = append.events.map((event) => byId.get(event.eventId));
    if (known.some((event) => event !== undefined)) {
      const first = known[0]?.revision ?? 0;
      const isRepeat = known.every((event, index) => event?.stream === append.stream && event.revision === first + index);
      const last = known.at(-1);
      if (!isRepeat || last === undefined) return { outcome: 'conflict', actual };
      return { outcome: 'appended', revision: last.revision, position: last.position, repeated: true };
    }
    if (!meets(append.expectedRevision, actual)) return { outcome: 'conflict', actual };

    clock = now?.() ?? clock + 1_000;
    for (const event of append.events) {
      lastPosition = (lastPosition + 1n) as Position;
      const recorded: RecordedEvent = {
        ...(JSON.parse(JSON.stringify(event)) as typeof event),
        stream: append.stream,
        revision: stream.length,
        position: lastPosition,
        recordedAt: new Date(clock).toISOString(),
      };
      stream.push(recorded);
      all.push(recorded);
      byId.set(event.eventId, recorded);
    }
    streams.set(append.stream, stream);
    const outcome: AppendOutcome = { outcome: 'appended', revision: stream.length - 1, position: lastPosition, repeated: false };
    // Positions may be skipped, and readers that count on the opposite should fail here first.
    lastPosition = (lastPosition + 1n) as Position;
    return outcome;
  };

  const headPosition = (): Position => all.at(-1)?.position ?? START;

  /** Index of the first event after a position. */
  const indexAfter = (position: Position): number => {
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((all[middle] as RecordedEvent).position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  async function* readAll({ after = START, upTo, filter, limit = Infinity }: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    assertReachable();
    const end = upTo === undefined ? all.length : indexAfter(upTo);
    let left = limit;
    for (let index = indexAfter(after); index < end && left > 0; index++) {
      const event = all[index] as RecordedEvent;
      if (!accepts(filter, event)) continue;
      assertReachable();
      left--;
      yield event;
    }
  }

  async function* readStream(
    stream: string,
    { from, limit = Infinity, direction = 'forwards' }: ReadStreamOptions = {},
  ): AsyncGenerator<RecordedEvent> {
    assertReachable();
    const events = streams.get(stream) ?? [];
    const wanted = direction === 'forwards' ? events.slice(from ?? 0) : events.slice(0, (from ?? events.length) + 1).reverse();
    for (const event of wanted.slice(0, limit)) {
      assertReachable();
      yield event;
    }
  }

  const changed = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const resume = (): void => {
        waiting.delete(resume);
        signal.removeEventListener('abort', resume);
        resolve();
      };
      waiting.add(resume);
      signal.addEventListener('abort', resume);
    });

  async function* subscribe({ after, filter, signal }: SubscribeOptions): AsyncGenerator<LogMessage> {
    let position = after;
    let isCaughtUp = false;
    let latest: readonly RecordedEvent[] = [];
    let repeated = redeliveries;
    while (!signal.aborted) {
      if (isCut) {
        await changed(signal);
        continue;
      }
      if (repeated !== redeliveries) {
        repeated = redeliveries;
        if (latest.length > 0) yield { kind: 'events', events: latest };
        continue;
      }
      const start = indexAfter(position);
      const batch: RecordedEvent[] = [];
      let index = start;
      for (; index < all.length && batch.length < batchSize; index++) {
        const event = all[index] as RecordedEvent;
        if (accepts(filter, event)) batch.push(event);
      }
      if (index > start) {
        position = (all[index - 1] as RecordedEvent).position;
        if (batch.length > 0) {
          latest = batch;
          yield { kind: 'events', events: batch };
        }
        if (batch.at(-1)?.position !== position) yield { kind: 'checkpoint', position };
        continue;
      }
      if (!isCaughtUp) {
        isCaughtUp = true;
        yield { kind: 'caughtUp', position };
        continue;
      }
      await changed(signal);
    }
  }

  return {
    get events() {
      return all;
    },
    append: async (batch) => {
      const lost = lostAnswer;
      lostAnswer = null;
      const unknown: AppendOutcome = { outcome: 'unknown', cause: new Error('the connection died') };
      if (isCut || lost === 'dropped') return batch.map(() => unknown);
      const outcomes = batch.map(appendOne);
      wake();
      return lost === 'written' ? batch.map(() => unknown) : outcomes;
    },
    readStream,
    readAll,
    subscribe,
    head: async () => {
      assertReachable();
      return headPosition();
    },
    close: async () => undefined,
    loseNextAnswer: (written) => {
      lostAnswer = written ? 'written' : 'dropped';
    },
    cut: () => {
      isCut = true;
    },
    mend: () => {
      isCut = false;
      wake();
    },
    redeliver: () => {
      redeliveries++;
      wake();
    },
  };
};
