import { setTimeout as pause } from 'node:timers/promises';
import { LogUnavailable } from '../../../commands/log-unavailable.ts';
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
import { backoffMs } from '../backoff.ts';
import { Changes } from '../changes.ts';
import { toError } from '../log-fault.ts';
import type { FaultListener } from '../log-fault.ts';
import { STEP_LIMITS } from '../log-step.ts';
import type { LogStep } from '../log-step.ts';
import type { PreparedAppend } from '../prepare-append.ts';
import { isoClock, toRecorded } from '../stored-event.ts';
import { follow } from '../subscription.ts';
import type { LogSource } from '../subscription.ts';
import { Tail } from '../tail.ts';
import { lastWritten, writtenEvents } from '../written-events.ts';
import type { EventRow, FlatAppends, FlatOutcomes, RequestName, Requests } from './messages.ts';
import { WorkerLost } from './worker-link.ts';
import type { WorkerLink } from './worker-link.ts';

const MAX_REVISION = 2_147_483_647;
/** How long a read that is not a subscription is tried again when its thread was lost. */
const RETRY_MS = 5_000;

const flatten = (appends: readonly PreparedAppend[]): FlatAppends => {
  const flat: FlatAppends = { streams: [], expected: [], counts: [], ids: [], types: [], versions: [], data: [], metadata: [] };
  for (const append of appends) {
    flat.streams.push(append.stream);
    flat.expected.push(append.expected);
    flat.counts.push(append.events.length);
    for (const event of append.events) {
      flat.ids.push(event.eventId);
      flat.types.push(event.type);
      flat.versions.push(event.schemaVersion);
      flat.data.push(event.data);
      flat.metadata.push(event.metadata);
    }
  }
  return flat;
};

const toOutcomes = ({ codes, revisions, positions }: FlatOutcomes): AppendOutcome[] =>
  codes.map((code, i) => {
    const revision = revisions[i] as number;
    if (code === 2) return { outcome: 'conflict', actual: revision < 0 ? 'no_stream' : revision };
    return { outcome: 'appended', revision, position: BigInt(positions[i] as number) as Position, repeated: code === 1 };
  });

const decodeRows = (rows: readonly EventRow[]): RecordedEvent[] => {
  const iso = isoClock();
  return rows.map(([position, stream, revision, eventId, type, schemaVersion, recordedMs, data, metadata]) =>
    toRecorded({
      position: BigInt(position) as Position,
      stream,
      revision,
      eventId,
      type,
      schemaVersion,
      recordedAt: iso(recordedMs),
      data,
      metadata,
    }),
  );
};

export interface SqliteLogOptions {
  readonly pollMs: number;
  readonly onFault: FaultListener;
}

/** An event log in one SQLite file, behind two threads: one writes, one reads. See `openSqliteLog`. */
export class SqliteLog implements EventLog, LogSource {
  readonly tail = new Tail();
  readonly changes = new Changes();
  readonly onFault: FaultListener;
  readonly #writer: WorkerLink;
  readonly #reader: WorkerLink;
  readonly #pollMs: number;
  readonly #iso = isoClock();
  #closed = false;
  #watchers = 0;
  #poll: NodeJS.Timeout | undefined;
  /** The highest position that readers were told of. */
  #announced: Position = START;

  constructor(writer: WorkerLink, reader: WorkerLink, { pollMs, onFault }: SqliteLogOptions) {
    this.#writer = writer;
    this.#reader = reader;
    this.#pollMs = pollMs;
    this.onFault = onFault;
  }

  get closed(): boolean {
    return this.#closed;
  }

  append(batch: readonly StreamAppend[]): Promise<readonly AppendOutcome[]> {
    return appendInCalls(batch, (appends) => this.#write(appends));
  }

  async #write(appends: readonly PreparedAppend[]): Promise<readonly AppendOutcome[]> {
    try {
      const answer = await this.#writer.request('append', flatten(appends));
      const outcomes = toOutcomes(answer);
      const last = lastWritten(outcomes);
      if (last !== undefined) {
        this.#announced = last;
        if (this.#watchers > 0) for (const stored of writtenEvents(appends, outcomes, this.#iso(answer.recordedMs))) this.tail.push(stored);
      }
      if (last !== undefined) this.changes.announce({ position: last });
      return outcomes;
    } catch (thrown) {
      const cause = toError(thrown);
      if (!this.#closed) this.onFault({ what: 'append_failed', error: cause });
      // It may have been written all the same.
      this.changes.announce();
      return appends.map(() => ({ outcome: 'unknown', cause }));
    }
  }

  /** Reads are tried again when their thread was lost: they change nothing. */
  async #read<Name extends RequestName>(name: Name, asked: Requests[Name]['asked']): Promise<Requests[Name]['answer']> {
    const until = performance.now() + RETRY_MS;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#reader.request(name, asked);
      } catch (thrown) {
        const error = toError(thrown);
        if (this.#closed || !(error instanceof WorkerLost)) throw error;
        const wait = backoffMs(attempt);
        if (performance.now() + wait > until) throw new LogUnavailable(error);
        await pause(wait);
      }
    }
  }

  async *readStream(stream: StreamName, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent, void, undefined> {
    const isForwards = options.direction !== 'backwards';
    let from = options.from ?? (isForwards ? 0 : MAX_REVISION);
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    while (left > 0 && from >= 0) {
      const { rows, isEnd } = await this.#read('stream', { stream, from, limit: Math.min(left, STEP_LIMITS.events), isForwards });
      for (const event of decodeRows(rows)) yield event;
      if (isEnd) return;
      left -= rows.length;
      from = (rows.at(-1) as EventRow)[2] + (isForwards ? 1 : -1);
    }
  }

  /** Ends at the head as it was when the reading began. */
  async *readAll({ after = START, upTo, filter, limit = Number.POSITIVE_INFINITY }: ReadAllOptions = {}): AsyncGenerator<
    RecordedEvent,
    void,
    undefined
  > {
    let end = upTo === undefined ? undefined : Number(upTo);
    let left = limit;
    let position = Number(after);
    while (left > 0) {
      const step = await this.#read('step', { after: position, upTo: end, filter, limit: Math.min(left, STEP_LIMITS.events) });
      end = end === undefined ? step.head : Math.min(end, step.head);
      for (const event of decodeRows(step.rows)) yield event;
      left -= step.rows.length;
      position = step.through;
      if (position >= end) return;
    }
  }

  subscribe(options: SubscribeOptions): AsyncIterable<LogMessage> {
    return follow(this, options);
  }

  async step(after: Position, filter: EventFilter | undefined): Promise<LogStep> {
    const { rows, through, head } = await this.#reader.request('step', {
      after: Number(after),
      upTo: undefined,
      filter,
      limit: STEP_LIMITS.events,
    });
    return { events: decodeRows(rows), through: BigInt(through) as Position, head: BigInt(head) as Position };
  }

  watch(): () => void {
    this.#watchers += 1;
    if (this.#watchers === 1) this.#poll = setInterval(() => void this.#look(), this.#pollMs);
    return () => {
      this.#watchers -= 1;
      if (this.#watchers > 0) return;
      clearInterval(this.#poll);
      this.tail.clear();
    };
  }

  /** Finds what another process has appended to the file. */
  async #look(): Promise<void> {
    try {
      const head = BigInt(await this.#reader.request('head', null)) as Position;
      if (head <= this.#announced) return;
      this.#announced = head;
      this.changes.announce({ position: head });
    } catch (thrown) {
      if (!this.#closed) this.onFault({ what: 'read_failed', error: toError(thrown) });
    }
  }

  async head(): Promise<Position> {
    return BigInt(await this.#read('head', null)) as Position;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#poll);
    this.changes.announce();
    await this.#reader.close();
    await this.#writer.close();
  }
}
