import { roughBytes } from './append-size.ts';
import type { Appender } from './ports/appender.ts';
import type { AppendOutcome, EventLog, StreamAppend } from './ports/event-log.ts';

export interface AppendQueueLimits {
  /** Most appends that may be queued or under way; beyond it callers wait. */
  readonly appends: number;
  /** Most bytes, roughly, that these may have. */
  readonly bytes: number;
  /** Most appends, events and (roughly) bytes of one batch. */
  readonly batchAppends: number;
  readonly batchEvents: number;
  readonly batchBytes: number;
  /** How long a caller waits for room before it is refused, in ms. */
  readonly waitMs: number;
  /** How long a batch whose outcome is unknown is sent again before its callers are told so, in ms. */
  readonly resendMs: number;
  /** How long nothing may be heard of a batch before the log counts as silent, in ms. */
  readonly silentMs: number;
}

export const APPEND_QUEUE_LIMITS: AppendQueueLimits = {
  appends: 20_000,
  bytes: 67_108_864,
  batchAppends: 1_000,
  batchEvents: 2_000,
  batchBytes: 8_388_608,
  waitMs: 2_000,
  resendMs: 10_000,
  silentMs: 3_000,
};

export interface AppendQueueStats {
  /** Queued or under way now. */
  readonly depth: number;
  readonly bytes: number;
  /** Callers waiting for room now. */
  readonly waiting: number;
  /** Since the start: batches made, what was in them, batches sent again, appends refused for lack of room. */
  readonly batches: number;
  readonly appends: number;
  readonly events: number;
  readonly resends: number;
  readonly refused: number;
}

export interface AppendQueue extends Appender {
  /** Resolves when nothing is queued or under way. */
  drain(): Promise<void>;
  /** Refuses what comes from now on and resolves when the rest is done. The log stays open. */
  close(): Promise<void>;
  stats(): AppendQueueStats;
  /** Whether the log does not answer: not for the batch under way, or not for the last one, where that was given up not long ago. */
  isSilent(): boolean;
  /** Whether what comes now would wait behind a batch that the log does not answer for. Never while none is under way: somebody has to try. */
  isStuck(): boolean;
}

interface Item {
  readonly append: StreamAppend;
  readonly bytes: number;
  readonly resolve: (outcome: AppendOutcome) => void;
  /** By `performance.now()`; only callers that wait have one. */
  readonly deadline: number;
}

const FIRST_RESEND_MS = 10;
const MAX_RESEND_MS = 1_000;
/** How long a log of which nothing more is asked counts as silent still. */
const SILENCE_HOLDS_MS = 10_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isUnknown = ({ outcome }: AppendOutcome): boolean => outcome === 'unknown';

const busy = (message: string): AppendOutcome => ({ outcome: 'rejected', reason: 'log_busy', message });

class GroupCommit implements AppendQueue {
  readonly #log: Pick<EventLog, 'append'>;
  readonly #limits: AppendQueueLimits;
  #queue: Item[] = [];
  readonly #waiting: Item[] = [];
  #waitTimer: NodeJS.Timeout | undefined;
  #isSending = false;
  #isScheduled = false;
  #isClosed = false;
  readonly #whenIdle: (() => void)[] = [];
  #depth = 0;
  #bytes = 0;
  #batches = 0;
  #appends = 0;
  #events = 0;
  #resends = 0;
  #refused = 0;
  /** Since when the log owes an answer, over batches that were given up; by `performance.now()`. */
  #owingSince: number | null = null;
  #gaveUpAt = 0;

  constructor(log: Pick<EventLog, 'append'>, limits: AppendQueueLimits) {
    this.#log = log;
    this.#limits = limits;
  }

  append(append: StreamAppend): Promise<AppendOutcome> {
    if (this.#isClosed) return Promise.resolve(this.#refuse('The event log is shutting down.'));
    const bytes = roughBytes(append);
    return new Promise((resolve) => {
      if (this.#waiting.length === 0 && this.#hasRoom(bytes)) this.#accept({ append, bytes, resolve, deadline: 0 });
      else this.#wait({ append, bytes, resolve, deadline: performance.now() + this.#limits.waitMs });
    });
  }

  #refuse(message: string): AppendOutcome {
    this.#refused += 1;
    return busy(message);
  }

  /** Whatever its size, an append finds room in an empty queue: it is for the log to say what is too large. */
  #hasRoom(bytes: number): boolean {
    return this.#depth === 0 || (this.#depth < this.#limits.appends && this.#bytes + bytes <= this.#limits.bytes);
  }

  #accept(item: Item): void {
    this.#queue.push(item);
    this.#depth += 1;
    this.#bytes += item.bytes;
    this.#schedule();
  }

  #wait(item: Item): void {
    this.#waiting.push(item);
    this.#waitTimer ??= setTimeout(() => this.#refuseLate(), this.#limits.waitMs);
  }

  /** Callers wait equally long, so those who came first are the first to be late. */
  #refuseLate(): void {
    const now = performance.now();
    const late = this.#waiting.findIndex(({ deadline }) => deadline > now);
    const refused = this.#waiting.splice(0, late === -1 ? this.#waiting.length : late);
    for (const { resolve } of refused) resolve(this.#refuse(`No room in the queue of appends within ${this.#limits.waitMs} ms.`));
    const next = this.#waiting[0];
    this.#waitTimer = next === undefined ? undefined : setTimeout(() => this.#refuseLate(), Math.max(1, Math.ceil(next.deadline - now)));
  }

  #admitWaiting(): void {
    let admitted = 0;
    for (const item of this.#waiting) {
      if (!this.#hasRoom(item.bytes)) break;
      admitted += 1;
      this.#accept(item);
    }
    if (admitted > 0) this.#waiting.splice(0, admitted);
    if (this.#waiting.length === 0 && this.#waitTimer !== undefined) {
      clearTimeout(this.#waitTimer);
      this.#waitTimer = undefined;
    }
  }

  /** With nothing under way a batch is formed once everything that this turn of the event loop brings is in the queue. */
  #schedule(): void {
    if (this.#isSending || this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#sendNext();
    });
  }

  #sendNext(): void {
    if (!this.#isSending && this.#queue.length > 0) void this.#send(this.#nextBatch());
  }

  #nextBatch(): Item[] {
    const { batchAppends, batchEvents, batchBytes } = this.#limits;
    let events = 0;
    let bytes = 0;
    let count = 0;
    for (const item of this.#queue) {
      events += item.append.events.length;
      bytes += item.bytes;
      if (count > 0 && (count >= batchAppends || events > batchEvents || bytes > batchBytes)) break;
      count += 1;
    }
    if (count < this.#queue.length) return this.#queue.splice(0, count);
    const all = this.#queue;
    this.#queue = [];
    return all;
  }

  async #send(batch: readonly Item[]): Promise<void> {
    this.#isSending = true;
    const appends = batch.map(({ append }) => append);
    this.#batches += 1;
    this.#appends += batch.length;
    this.#owingSince ??= performance.now();
    let outcomes = await this.#try(appends);
    if (outcomes.some(isUnknown)) outcomes = await this.#resend(appends, outcomes);
    this.#isSending = false;
    if (outcomes.some(isUnknown)) this.#gaveUpAt = performance.now();
    else this.#owingSince = null;
    this.#depth -= batch.length;
    for (let i = 0; i < batch.length; i++) {
      const item = batch[i] as Item;
      this.#bytes -= item.bytes;
      this.#events += item.append.events.length;
      item.resolve(outcomes[i] as AppendOutcome);
    }
    if (this.#waiting.length > 0) this.#admitWaiting();
    // The next one leaves before those who waited for this one go on, which may take as long as the log does: while they are at work so is the log.
    // Who writes stream by stream, one append after the other, has handed in its next by then.
    queueMicrotask(() => this.#sendNext());
    if (this.#depth === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /**
   * Until every outcome is known the *identical* batch goes again, before any other: formed anew, with later appends to the same streams
   * in it, it could be taken for something else than what the log has perhaps recorded already.
   */
  async #resend(appends: readonly StreamAppend[], first: readonly AppendOutcome[]): Promise<readonly AppendOutcome[]> {
    const until = performance.now() + this.#limits.resendMs;
    let outcomes = first;
    let pauseMs = FIRST_RESEND_MS;
    while (outcomes.some(isUnknown) && performance.now() + pauseMs <= until) {
      await sleep(pauseMs);
      pauseMs = Math.min(MAX_RESEND_MS, pauseMs * 2);
      this.#resends += 1;
      const again = await this.#try(appends);
      // What was appended once stays so: sent again it only comes back as repeated, or, the connection lost again, as unknown.
      outcomes = outcomes.map((known, i) => (known.outcome === 'appended' ? known : (again[i] as AppendOutcome)));
    }
    return outcomes;
  }

  async #try(appends: readonly StreamAppend[]): Promise<readonly AppendOutcome[]> {
    try {
      return await this.#log.append(appends);
    } catch (thrown) {
      const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
      return appends.map(() => ({ outcome: 'unknown', cause }));
    }
  }

  drain(): Promise<void> {
    if (this.#depth === 0 && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.drain();
  }

  isSilent(): boolean {
    return this.#isOverdue() && (this.#isSending || performance.now() - this.#gaveUpAt < SILENCE_HOLDS_MS);
  }

  isStuck(): boolean {
    return this.#isSending && this.#isOverdue();
  }

  #isOverdue(): boolean {
    return this.#owingSince !== null && performance.now() - this.#owingSince >= this.#limits.silentMs;
  }

  stats(): AppendQueueStats {
    return {
      depth: this.#depth,
      bytes: this.#bytes,
      waiting: this.#waiting.length,
      batches: this.#batches,
      appends: this.#appends,
      events: this.#events,
      resends: this.#resends,
      refused: this.#refused,
    };
  }
}

/**
 * Group commit: appends that arrive while a batch is under way go out together in the next. Each caller gets its own outcome; appends
 * to one stream keep the order in which they were given. There should be one queue per process and log.
 *
 * The queue is bounded: when it is full callers wait, in turn, and after {@link AppendQueueLimits.waitMs} get the rejection `log_busy`.
 * `unknown` is an answer only after the identical batch was sent again for {@link AppendQueueLimits.resendMs}.
 */
export const createAppendQueue = (log: Pick<EventLog, 'append'>, limits: Partial<AppendQueueLimits> = {}): AppendQueue =>
  new GroupCommit(log, { ...APPEND_QUEUE_LIMITS, ...limits });
