import { CompressionTypes, Partitioners, type Kafka, type Message, type Producer, type RecordMetadata } from 'kafkajs';
import type { OutgoingRecord, PublishOutcome, RecordPublisher } from '../../projections/ports/records.ts';

/** After this long without an end Kafka aborts a transaction; until then it holds up readers of committed records. */
const TRANSACTION_TIMEOUT_MS = 20_000;

/**
 * Kafka answers that a transaction is still ending to whoever begins the next one at once, so the first tries come quickly; it all ends long
 * before the transaction times out.
 */
const RETRY = { initialRetryTime: 15, multiplier: 2, factor: 0.2, maxRetryTime: 2_000, retries: 8 } as const;

const FENCED = /^(INVALID_PRODUCER_EPOCH|PRODUCER_FENCED|INVALID_TXN_STATE|TRANSACTION_COORDINATOR_FENCED)$/;
/** Kafka's PRODUCER_FENCED, which kafkajs has no name for. */
const PRODUCER_FENCED_CODE = 90;

const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

const isFencing = (error: unknown): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { type, code } = cause as { readonly type?: unknown; readonly code?: unknown };
    if ((typeof type === 'string' && FENCED.test(type)) || code === PRODUCER_FENCED_CODE) return true;
  }
  return false;
};

const byTopic = (records: readonly OutgoingRecord[]): { readonly topic: string; readonly messages: Message[] }[] => {
  const topics = new Map<string, Message[]>();
  for (const { topic, key, value, headers } of records) {
    let messages = topics.get(topic);
    if (messages === undefined) topics.set(topic, (messages = []));
    const bytes = value === null || typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    messages.push({ key, value: bytes, ...(headers === undefined ? {} : { headers: { ...headers } }) });
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
};

export interface PublisherOptions {
  readonly kafka: Kafka;
  readonly transactionalId: string;
}

/**
 * Publishes in transactions of one producer, which it opens when it is first needed and again after every outcome but `published`: a
 * producer of kafkajs cannot be trusted to find its way back after a failed end of a transaction.
 */
export class KafkaPublisher implements RecordPublisher {
  readonly #kafka: Kafka;
  readonly #transactionalId: string;
  #producer: Producer | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** The partition that each record of the batch in hand was given, to be held against the brokers' answers. */
  #chosen = new Map<string, Set<number>>();

  constructor({ kafka, transactionalId }: PublisherOptions) {
    this.#kafka = kafka;
    this.#transactionalId = transactionalId;
  }

  /**
   * Takes the transactional id: fences whoever had it, and resolves when their last transaction is either seen by readers or aborted.
   *
   * @throws when Kafka cannot be reached.
   */
  open(): Promise<void> {
    return this.#inTurn(async () => {
      const transaction = await (await this.#connected()).transaction();
      // Nothing was added to it, so this sends nothing; what counts is that the producer has its epoch.
      await transaction.abort();
    });
  }

  publish(records: readonly OutgoingRecord[]): Promise<PublishOutcome> {
    if (records.length === 0) return Promise.resolve({ outcome: 'published' });
    return this.#inTurn(() => this.#publish(records));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#inTurn(() => this.#drop());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #publish(records: readonly OutgoingRecord[]): Promise<PublishOutcome> {
    let transaction;
    try {
      transaction = await (await this.#connected()).transaction();
    } catch (error) {
      await this.#drop();
      return { outcome: isFencing(error) ? 'fenced' : 'refused', cause: toError(error) };
    }
    this.#chosen = new Map();
    try {
      const answers = await transaction.sendBatch({ acks: -1, compression: CompressionTypes.GZIP, topicMessages: byTopic(records) });
      this.#check(answers);
    } catch (error) {
      // Where this fails too, the transaction ends by the next opening or by its time: nothing has told Kafka to commit it.
      if (!isFencing(error)) await transaction.abort().catch(() => undefined);
      await this.#drop();
      return { outcome: isFencing(error) ? 'fenced' : 'refused', cause: toError(error) };
    }
    try {
      await transaction.commit();
    } catch (error) {
      await this.#drop();
      return { outcome: isFencing(error) ? 'fenced' : 'unknown', cause: toError(error) };
    }
    return { outcome: 'published' };
  }

  /**
   * When partitions change their leader between two tries, kafkajs sends those that moved to a broker that has answered already not at all, and
   * those that moved from one twice, and reports success. Each partition written must have been answered for exactly once.
   *
   * @throws Error when that is not so.
   */
  #check(answers: readonly RecordMetadata[]): void {
    const answered = new Map<string, Set<number>>();
    for (const { topicName, partition } of answers) {
      const partitions = answered.get(topicName) ?? new Set();
      if (partitions.has(partition)) throw new Error(`Kafka took records for partition ${partition} of ${topicName} twice.`);
      answered.set(topicName, partitions.add(partition));
    }
    for (const [topic, partitions] of this.#chosen) {
      for (const partition of partitions)
        if (answered.get(topic)?.has(partition) !== true) throw new Error(`Kafka did not answer for partition ${partition} of ${topic}.`);
    }
  }

  async #connected(): Promise<Producer> {
    if (this.#closed) throw new Error('The publisher is closed.');
    if (this.#producer === undefined) {
      const producer = this.#kafka.producer({
        transactionalId: this.#transactionalId,
        transactionTimeout: TRANSACTION_TIMEOUT_MS,
        // Order is kept only as long as no second request overtakes a first that is tried again.
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: () => this.#partitioner(),
        retry: RETRY,
      });
      this.#producer = producer;
      await producer.connect();
    }
    return this.#producer;
  }

  #partitioner(): ReturnType<typeof Partitioners.DefaultPartitioner> {
    // Named, because the one that is taken otherwise has changed between two versions of kafkajs, and with it the partition of every key.
    const choose = Partitioners.DefaultPartitioner();
    return (args) => {
      const partition = choose(args);
      let partitions = this.#chosen.get(args.topic);
      if (partitions === undefined) this.#chosen.set(args.topic, (partitions = new Set()));
      partitions.add(partition);
      return partition;
    };
  }

  async #drop(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }
}
