import type {
  AppendOutcome,
  EventLog,
  ReadAllOptions,
  ReadStreamOptions,
  StreamAppend,
  SubscribeOptions,
} from '../../../commands/ports/event-log.ts';
import type { EventFilter, LogMessage, Position, RecordedEvent } from '../../../schemas/event-envelope.ts';
import type { StreamName } from '../../../schemas/ids.ts';
import { pause, unlessAborted } from '../abortable.ts';
import { appendInCalls } from '../append-calls.ts';
import { backoffMs } from '../backoff.ts';
import { Changes } from '../changes.ts';
import { toError } from '../log-fault.ts';
import type { FaultListener } from '../log-fault.ts';
import type { LogStep } from '../log-step.ts';
import type { PreparedAppend } from '../prepare-append.ts';
import { follow, LogBehindReader } from '../subscription.ts';
import type { LogSource } from '../subscription.ts';
import { BatchAppender } from './batch-appender.ts';
import { catchUp } from './catch-up.ts';
import { Connection, toLeader } from './connection.ts';
import { KnownStreams } from './known-streams.ts';
import { LiveFeed } from './live-feed.ts';
import { LiveWindow } from './live-window.ts';
import { isRefusedPlace, Reader } from './reader.ts';
import { settle } from './settle.ts';

export interface EventStoreLogOptions {
  readonly connectionString: string;
  /** To find a server and, where there are several, the leader, in ms. */
  readonly openMs: number;
  readonly appendMs: number;
  readonly readMs: number;
  readonly pollMs: number;
  /** From how far behind, in bytes of the log, a reader with a filter is brought up by the server. */
  readonly catchUpBytes: bigint;
  readonly seekBytes: bigint;
  readonly onFault: FaultListener;
}

/** An event log in EventStoreDB; see `openEventStoreLog`. */
export class EventStoreLog implements EventLog, LogSource {
  readonly tail = new LiveWindow();
  readonly changes = new Changes();
  readonly onFault: FaultListener;
  readonly #options: EventStoreLogOptions;
  /** Appends alone: what befalls another call does not touch them, nor they it. */
  readonly #appends: Connection;
  readonly #leader: Connection;
  readonly #near: Connection;
  readonly #reader: Reader;
  readonly #appender: BatchAppender;
  readonly #streams: KnownStreams;
  readonly #feed: LiveFeed;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: EventStoreLogOptions) {
    this.#options = options;
    this.onFault = options.onFault;
    const leader = toLeader(options.connectionString);
    this.#appends = new Connection(leader, { requiresLeader: true, openMs: options.openMs });
    this.#leader = new Connection(leader, { requiresLeader: true, openMs: options.openMs });
    this.#near = new Connection(options.connectionString, { requiresLeader: false, openMs: options.openMs });
    this.#reader = new Reader(this.#near, this.#leader, { deadlineMs: options.readMs, seekBytes: options.seekBytes });
    this.#appender = new BatchAppender(this.#appends, options.appendMs);
    this.#streams = new KnownStreams(this.#reader);
    this.#feed = new LiveFeed({
      connection: this.#near,
      reader: this.#reader,
      window: this.tail,
      changes: this.changes,
      onFault: options.onFault,
      pollMs: options.pollMs,
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  append(batch: readonly StreamAppend[]): Promise<readonly AppendOutcome[]> {
    return appendInCalls(batch, (appends) => this.#write(appends));
  }

  /** One batch after the other: what is known of a stream holds for one writer at a time. */
  #write(appends: readonly PreparedAppend[]): Promise<readonly AppendOutcome[]> {
    const written = this.#turn.then(async () => {
      const outcomes = await settle(appends, { reader: this.#reader, appender: this.#appender, streams: this.#streams });
      const lost = outcomes.find((outcome) => outcome.outcome === 'unknown');
      if (lost?.outcome === 'unknown' && !this.#closed) this.onFault({ what: 'append_failed', error: lost.cause });
      for (const outcome of outcomes) if (outcome.outcome === 'appended') this.tail.note(outcome.position);
      // The subscription brings what was written and wakes the readers then; sooner they would have to go and fetch it.
      if (lost !== undefined || !this.tail.isOpen) this.changes.announce();
      return outcomes;
    });
    this.#turn = written.catch(() => undefined);
    return written;
  }

  readStream(stream: StreamName, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    return this.#reader.stream(stream, options);
  }

  readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    return this.#reader.all(options);
  }

  async *subscribe(options: SubscribeOptions): AsyncGenerator<LogMessage, void, undefined> {
    const { filter, signal } = options;
    let { after } = options;
    for (let failures = 0; !signal.aborted && !this.#closed;) {
      try {
        const goal = await unlessAborted(this.#reader.head(), signal);
        if (goal === undefined) return;
        this.tail.note(goal);
        if (goal < after) throw new LogBehindReader(after, goal);
        if (filter === undefined || !this.#isFarBehind(after, goal, filter)) break;
        const catchingUp = { after, filter, goal, silenceMs: this.#options.readMs, signal };
        for await (const message of catchUp(this.#near, catchingUp)) {
          failures = 0;
          after = message.kind === 'events' ? (message.events.at(-1) as RecordedEvent).position : message.position;
          yield message;
          if (signal.aborted) return;
        }
        break;
      } catch (thrown) {
        if (this.#closed) return;
        const error = toError(thrown);
        if (error instanceof LogBehindReader) throw error;
        // A subscription begins where an event lies. Reading in pages begins anywhere.
        if (isRefusedPlace(error)) break;
        this.onFault({ what: 'read_failed', error });
        await pause(backoffMs(failures++), signal);
      }
    }
    yield* follow(this, { ...options, after });
  }

  #isFarBehind(after: Position, goal: Position, { types, categories }: EventFilter): boolean {
    if (goal - after <= this.#options.catchUpBytes) return false;
    // To the server an empty list is none; to us it is one that nothing is on.
    return (types !== undefined || categories !== undefined) && types?.length !== 0 && categories?.length !== 0;
  }

  step(after: Position, filter: EventFilter | undefined): Promise<LogStep> {
    return this.#reader.step(after, filter);
  }

  watch(): () => void {
    return this.#feed.watch();
  }

  async head(): Promise<Position> {
    const head = await this.#reader.head();
    this.tail.note(head);
    return head;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#turn;
    this.#reader.close();
    this.#feed.close();
    this.#appender.close();
    for (const connection of [this.#appends, this.#leader, this.#near]) connection.close();
    this.changes.announce();
  }
}
