import { setMaxListeners } from 'node:events';
import type { Admin, Batch, Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type {
  ConsumeOptions,
  IncomingRecord,
  LaterRest,
  PartitionLag,
  PartitionRange,
  RecordConsumer,
  TopicPartition,
} from '../../projections/ports/records.ts';
import { pause } from '../event-log/abortable.ts';
import { backoffMs } from '../event-log/backoff.ts';
import type { ProgramLog } from '../logging/logger.ts';
import { keyOf, PartitionSlot } from './consumer-slot.ts';

const SESSION_MS = 20_000;
const HEARTBEAT_MS = 2_000;
/** How long the group waits for members with a batch in hand before it goes on without them. */
const REBALANCE_TIMEOUT_MS = 45_000;
/** A fetch is answered as soon as there is anything, so this only bounds how late one that was resumed is noticed. */
const FETCH_WAIT_MS = 250;
const FETCH_BYTES = { maxBytesPerPartition: 1_048_576, maxBytes: 8_388_608 } as const;
const RETRY = { initialRetryTime: 100, multiplier: 2, factor: 0.2, maxRetryTime: 2_000, retries: 4 } as const;
/** How long a batch whose handling failed waits for its next delivery. */
const FAILED_MS = 500;
/** A broker that does not answer must not hold up the end. */
const LEAVE_TIMEOUT_MS = 5_000;

export interface ConsumerDeps {
  readonly kafka: Kafka;
  readonly programLog: Pick<ProgramLog, 'info' | 'warn' | 'error'>;
}

const textOf = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString('utf8') : String(value));

const headersOf = (headers: KafkaMessage['headers']): Record<string, string> => {
  const texts: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) texts[name] = textOf(Array.isArray(value) ? value.at(-1) : value);
  }
  return texts;
};

const incoming = ({ offset, key, value, headers, timestamp }: KafkaMessage): IncomingRecord => ({
  offset: BigInt(offset),
  key: key === null ? null : textOf(key),
  value,
  headers: headersOf(headers),
  writtenAt: Number(timestamp),
});

/**
 * A member of a consumer group whose offsets are the caller's. kafkajs asks for no offsets before it begins and forgets its own at each
 * rebalance, so every partition that comes is paused until the caller has said where to begin, and is then sought there.
 */
export class KafkaConsumer implements RecordConsumer {
  readonly ended: Promise<void>;
  readonly #deps: ConsumerDeps;
  readonly #options: ConsumeOptions;
  readonly #admin: Admin;
  #adminConnected: Promise<void> | undefined;
  #consumer: Consumer | undefined;
  #slots = new Map<string, PartitionSlot>();
  readonly #pausedByCaller = new Set<string>();
  readonly #inHand = new Set<Promise<unknown>>();

  constructor(deps: ConsumerDeps, options: ConsumeOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#admin = deps.kafka.admin({ retry: RETRY });
    setMaxListeners(0, options.signal);
    this.ended = this.#run();
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#pausedByCaller.add(keyOf(partition));
    this.#settleAll(partitions);
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#pausedByCaller.delete(keyOf(partition));
    this.#settleAll(partitions);
  }

  async lag(): Promise<readonly PartitionLag[]> {
    const slots = [...this.#slots.values()].filter((slot) => slot.next !== null);
    const ranges = new Map((await this.#ranges(slots)).map((range) => [keyOf(range), range]));
    return slots.flatMap(({ topic, partition, next }) => {
      const end = ranges.get(keyOf({ topic, partition }))?.end;
      if (end === undefined || next === null) return [];
      return [{ topic, partition, next, end, lag: end > next ? end - next : 0n }];
    });
  }

  async #run(): Promise<void> {
    const { signal, group } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#belong(() => (failures = 0));
      } catch (error) {
        this.#deps.programLog.warn('a consumer of Kafka starts again', { group, error });
      }
      if (!signal.aborted) await pause(backoffMs(failures++), signal);
    }
    await this.#admin.disconnect().catch(() => undefined);
  }

  /** One membership: from joining the group until the client gives up or the signal aborts. */
  async #belong(joined: () => void): Promise<void> {
    const { group, topics, signal, concurrency = 1, sessionMs = SESSION_MS } = this.#options;
    const consumer = this.#deps.kafka.consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      ...FETCH_BYTES,
      readUncommitted: false,
      allowAutoTopicCreation: false,
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(false) },
    });
    this.#consumer = consumer;
    const crashed = new Promise<Error>((resolve) => {
      consumer.on('consumer.crash', ({ payload }) => resolve(payload.error));
    });
    const asked = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    consumer.on('consumer.rebalancing', () => this.#release());
    consumer.on('consumer.group_join', (event) => {
      joined();
      this.#assign(event);
    });
    // Batches without a visible record never come to `#batch`, yet reading goes on behind them.
    consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      const slot = this.#slots.get(keyOf({ topic, partition }));
      if (batchSize === 0 && slot !== undefined && slot.next !== null) slot.next = BigInt(lastOffset) + 1n;
    });
    const interrupt = (): void => {
      for (const slot of this.#slots.values()) slot.over.abort();
    };
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: concurrency,
        eachBatch: (payload) => this.#batch(payload),
      });
      const crash = await Promise.race([crashed, asked]);
      if (crash !== undefined) throw crash;
    } finally {
      signal.removeEventListener('abort', interrupt);
      const left = consumer.disconnect().catch(() => undefined);
      await Promise.race([left, pause(LEAVE_TIMEOUT_MS, new AbortController().signal)]);
      await Promise.all(this.#inHand);
      this.#release();
      this.#consumer = undefined;
    }
  }

  /** What was read for these partitions and not yet handled is void from here on. */
  #release(): void {
    const slots = [...this.#slots.values()];
    if (slots.length === 0) return;
    this.#slots = new Map();
    for (const slot of slots) slot.release();
    this.#options.handler.revoked?.(slots.map(({ topic, partition }) => ({ topic, partition })));
  }

  /** Runs synchronously in the join, so that nothing is fetched before the partitions are paused. */
  #assign({ payload }: ConsumerGroupJoinEvent): void {
    this.#release();
    const slots = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => new PartitionSlot({ topic, partition })),
    );
    for (const slot of slots) this.#slots.set(keyOf(slot), slot);
    for (const slot of slots) this.#settle(slot);
    this.#deps.programLog.info('partitions assigned', {
      group: this.#options.group,
      partitions: slots.map(keyOf),
    });
    void this.#place(slots);
  }

  /** Asks the caller where to begin, until it is answered or the partitions are gone. */
  async #place(slots: readonly PartitionSlot[]): Promise<void> {
    const held = (): PartitionSlot[] => slots.filter((slot) => this.#slots.get(keyOf(slot)) === slot && slot.next === null);
    for (let failures = 0; ; failures += 1) {
      const wanted = held();
      const [first] = wanted;
      if (first === undefined) return;
      try {
        // kafkajs joins anew while batches are in hand when a leader has changed. What they do must be done before it is asked for.
        await Promise.all(this.#inHand);
        const ranges = await this.#ranges(wanted);
        const places = new Map((await this.#options.handler.assigned(ranges)).map((place) => [keyOf(place), place.offset]));
        const mistakes = ranges.flatMap((range) => this.#begin(range, places.get(keyOf(range)) ?? range.earliest) ?? []);
        if (held().length === 0) return;
        throw new RangeError(mistakes.join('; ') || 'not every partition has a range yet');
      } catch (error) {
        if (held().length === 0) return;
        this.#deps.programLog.warn('where to begin in partitions is asked again', { partitions: wanted.map(keyOf), error });
      }
      await pause(backoffMs(failures), first.over.signal);
    }
  }

  /** What is wrong with the place, if anything is. */
  #begin(range: PartitionRange, offset: bigint): string | null {
    const slot = this.#slots.get(keyOf(range));
    if (slot === undefined || slot.next !== null) return null;
    if (offset < range.earliest || offset > range.end)
      return `${keyOf(range)} holds offsets from ${range.earliest} to ${range.end}, and ${offset} was asked for`;
    this.#seek(slot, offset);
    return null;
  }

  #seek(slot: PartitionSlot, offset: bigint): void {
    slot.next = offset;
    this.#consumer?.seek({ topic: slot.topic, partition: slot.partition, offset: String(offset) });
    this.#settle(slot);
  }

  #settleAll(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const slot = this.#slots.get(keyOf(partition));
      if (slot !== undefined) this.#settle(slot);
    }
  }

  /** Brings the client's notion of what is paused in line with ours. */
  #settle(slot: PartitionSlot): void {
    const target = [{ topic: slot.topic, partitions: [slot.partition] }];
    const flows = slot.next !== null && !slot.resting && !this.#pausedByCaller.has(keyOf(slot));
    if (flows) this.#consumer?.resume(target);
    else this.#consumer?.pause(target);
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const slot = this.#slots.get(keyOf(batch));
    if (slot === undefined || slot.next === null || slot.resting || payload.isStale() || !payload.isRunning()) return;
    // The client went somewhere else by itself: what it was sent for is no longer there.
    if (BigInt((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset) !== slot.next) {
      slot.next = null;
      this.#settle(slot);
      void this.#place([slot]);
      return;
    }
    const handled = this.#handle(slot, batch, () => payload.heartbeat());
    this.#inHand.add(handled);
    const rest = await handled.finally(() => this.#inHand.delete(handled));
    if (this.#slots.get(keyOf(slot)) !== slot) return;
    if (rest === undefined) {
      slot.next = BigInt(batch.lastOffset()) + 1n;
      payload.resolveOffset(batch.lastOffset());
    } else {
      slot.rest(rest.afterMs, () => this.#settle(slot));
      this.#seek(slot, rest.from);
    }
  }

  /** Never rejects: the client would stop its heart for as long as it waits to try again. */
  async #handle(slot: PartitionSlot, batch: Batch, heartbeat: () => Promise<void>): Promise<LaterRest | void> {
    const wanted = new AbortController();
    const interrupt = (): void => wanted.abort();
    slot.over.signal.addEventListener('abort', interrupt, { once: true });
    if (slot.over.signal.aborted) interrupt();
    // The group takes a member for dead that is silent, and tells of a rebalance only in the answer to a heartbeat.
    const beating = setInterval(() => void heartbeat().catch(interrupt), HEARTBEAT_MS);
    const { topic, partition } = slot;
    const records = batch.messages.map(incoming);
    try {
      return await this.#options.handler.batch({ topic, partition, records, next: BigInt(batch.lastOffset()) + 1n }, wanted.signal);
    } catch (error) {
      if (!wanted.signal.aborted)
        this.#deps.programLog.warn('a batch failed and is delivered again', { group: this.#options.group, partition: keyOf(slot), error });
      return { from: slot.next ?? BigInt(batch.firstOffset() ?? 0), afterMs: FAILED_MS };
    } finally {
      clearInterval(beating);
      slot.over.signal.removeEventListener('abort', interrupt);
    }
  }

  async #ranges(partitions: readonly TopicPartition[]): Promise<PartitionRange[]> {
    if (partitions.length === 0) return [];
    this.#adminConnected ??= this.#admin.connect().catch((error: unknown) => {
      this.#adminConnected = undefined;
      throw error;
    });
    await this.#adminConnected;
    const wanted = new Set(partitions.map(keyOf));
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const ranges = await Promise.all(
      topics.map(async (topic) =>
        (await this.#admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => ({
          topic,
          partition,
          earliest: BigInt(low),
          end: BigInt(high),
        })),
      ),
    );
    return ranges.flat().filter((range) => wanted.has(keyOf(range)));
  }
}
