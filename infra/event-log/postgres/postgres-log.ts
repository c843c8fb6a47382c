import type {
  AppendOutcome,
  EventLog,
  ReadAllOptions,
  ReadStreamOptions,
  StreamAppend,
  SubscribeOptions,
} from '../../../commands/ports/event-log.ts';
import { START } from '../../../schemas/event-envelope.ts';
import type { EventFilter, LogMessage, Position, RecordedEvent } from '../../../schemas/event-envelope.ts';
import type { StreamName } from '../../../schemas/ids.ts';
import { appendInCalls } from '../append-calls.ts';
import { Changes, kindOf } from '../changes.ts';
import { toError } from '../log-fault.ts';
import type { FaultListener } from '../log-fault.ts';
import type { LogStep } from '../log-step.ts';
import type { PreparedAppend } from '../prepare-append.ts';
import { isoClock } from '../stored-event.ts';
import { follow } from '../subscription.ts';
import type { LogSource } from '../subscription.ts';
import { Tail } from '../tail.ts';
import { lastWritten, writtenEvents } from '../written-events.ts';
import { APPEND_SQL, decodeOutcomes, encodeAppends } from './append-call.ts';
import { AppendConnection } from './append-connection.ts';
import { ChangeListener } from './change-listener.ts';
import { CHANNEL } from './log-schema.ts';
import { senderText } from './notification.ts';
import { Reader } from './reader.ts';
import type { SessionOptions } from './session.ts';

/** Other processes are told of appends at most this often; a notification wakes each of them, and costs more than a small append. */
const NOTIFY_EVERY_MS = 5;

export interface PostgresLogOptions extends SessionOptions {
  readonly readConnections: number;
  /** How often to look for changes that no notification told of, in ms. */
  readonly pollMs: number;
  /** Tells this process's notifications from those of others. */
  readonly writer: string;
  readonly onFault: FaultListener;
}

/** An event log in PostgreSQL; see `openPostgresLog`. */
export class PostgresLog implements EventLog, LogSource {
  readonly tail = new Tail();
  readonly changes = new Changes();
  readonly onFault: FaultListener;
  readonly #writer: string;
  readonly #appender: AppendConnection;
  readonly #reader: Reader;
  readonly #listener: ChangeListener;
  readonly #iso = isoClock();
  #closed = false;
  #watchers = 0;
  /** The position after our last append. */
  #appended = START;
  /** Kinds of what we appended and have not told other processes yet. */
  readonly #untold = new Set<string>();
  /** An append's outcome is not known: what a notification says of our own appends may be news. */
  #unsure = false;
  #notifiedAt = Number.NEGATIVE_INFINITY;
  #notifyLater: NodeJS.Timeout | undefined;

  constructor(options: PostgresLogOptions) {
    this.onFault = options.onFault;
    this.#writer = options.writer;
    this.#appender = new AppendConnection(options);
    this.#reader = new Reader(options, options.readConnections, (error) => this.onFault({ what: 'read_failed', error }));
    this.#listener = new ChangeListener(options, options.pollMs, {
      grown: (position, heard) => this.#grown(position, heard),
      gap: () => this.changes.announce(),
      onFault: this.onFault,
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  append(batch: readonly StreamAppend[]): Promise<readonly AppendOutcome[]> {
    return appendInCalls(batch, (appends) => this.#write(appends));
  }

  async #write(appends: readonly PreparedAppend[]): Promise<readonly AppendOutcome[]> {
    const kinds = new Set<string>();
    for (const { stream, events } of appends) for (const { type } of events) kinds.add(kindOf(stream, type));
    let last: Position | undefined;
    try {
      const announce = this.#mayNotify();
      const telling = announce ? new Set([...this.#untold, ...kinds]) : undefined;
      if (telling !== undefined) this.#untold.clear();
      const sender = telling === undefined ? this.#writer : senderText(this.#writer, telling);
      const row = await this.#appender.run('append', APPEND_SQL, [sender, announce, ...encodeAppends(appends)]).catch((thrown: unknown) => {
        this.#tellLater(telling ?? kinds);
        throw thrown;
      });
      const { recordedMs, outcomes } = decodeOutcomes(row);
      last = lastWritten(outcomes);
      if (last !== undefined) {
        if (last > this.#appended) this.#appended = last;
        if (this.#watchers > 0) for (const stored of writtenEvents(appends, outcomes, this.#iso(recordedMs))) this.tail.push(stored);
        if (telling === undefined) this.#tellLater(kinds);
      } else if (telling !== undefined) {
        // Nothing was written, so nothing was sent.
        for (const kind of kinds) telling.delete(kind);
        this.#tellLater(telling);
      }
      return outcomes;
    } catch (thrown) {
      const cause = toError(thrown);
      if (!this.#closed) this.onFault({ what: 'append_failed', error: cause });
      this.#unsure = true;
      return appends.map(() => ({ outcome: 'unknown', cause }));
    } finally {
      // After a failure it may have been written all the same; anything may lie there then.
      if (last !== undefined) this.changes.announce({ kinds: [...kinds], position: last });
      else if (this.#unsure) this.changes.announce();
    }
  }

  #mayNotify(): boolean {
    const now = performance.now();
    if (now - this.#notifiedAt < NOTIFY_EVERY_MS) return false;
    this.#notifiedAt = now;
    clearTimeout(this.#notifyLater);
    this.#notifyLater = undefined;
    return true;
  }

  /** The last append of a burst went out untold; nobody else need wait for the next one to hear of it. */
  #tellLater(kinds: Iterable<string>): void {
    for (const kind of kinds) this.#untold.add(kind);
    if (this.#untold.size === 0) return;
    this.#notifyLater ??= setTimeout(() => {
      this.#notifyLater = undefined;
      if (this.#closed) return;
      this.#notifiedAt = performance.now();
      const sender = senderText(this.#writer, this.#untold);
      this.#untold.clear();
      // Lost, it does no harm: everybody looks for themselves now and then.
      this.#appender.run('notify', 'select pg_notify($1, $2)', [CHANNEL, `${sender}:${this.#appended}`]).catch(() => undefined);
    }, NOTIFY_EVERY_MS);
  }

  #grown(position: Position, heard: { readonly writer: string; readonly kinds: readonly string[] | undefined } | undefined): void {
    if (heard === undefined) {
      this.#unsure = false;
      return this.changes.announce({ position });
    }
    // Our own append's answer is on its way and will announce it, with the events at hand.
    if (heard.writer === this.#writer && !this.#unsure) return;
    this.changes.announce(heard.kinds === undefined ? { position } : { kinds: heard.kinds, position });
  }

  readStream(stream: StreamName, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    return this.#reader.stream(stream, options);
  }

  readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    return this.#reader.all(options);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<LogMessage> {
    return follow(this, options);
  }

  step(after: Position, filter: EventFilter | undefined): Promise<LogStep> {
    return this.#reader.step(after, filter);
  }

  watch(): () => void {
    this.#watchers += 1;
    this.#listener.start();
    return () => {
      this.#watchers -= 1;
      if (this.#watchers === 0) this.tail.clear();
    };
  }

  head(): Promise<Position> {
    return this.#reader.head();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#notifyLater);
    this.changes.announce();
    await Promise.all([this.#appender.close(), this.#listener.close(), this.#reader.close()]);
  }
}
