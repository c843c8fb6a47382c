import { CompressionTypes, Partitioners, type Kafka, type Message, type PartitionMetadata, type Producer, type Transaction } from 'kafkajs';
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

interface PartitionMessages {
  readonly topic: string;
  readonly partition: number;
  readonly messages: Message[];
}

const messageOf = ({ key, value, headers }: OutgoingRecord): Message => ({
  key,
  value: value === null || typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
  ...(headers === undefined ? {} : { headers: { ...headers } }),
});

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
  /** By topic. Kept while all goes well, so that a key stays in its partition while a topic grows; asked for again after a failure. */
  readonly #partitions = new Map<string, PartitionMetadata[]>();
  // Named, because the one that is taken otherwise has changed between two versions of kafkajs, and with it the partition of every key.
  readonly #choose = Partitioners.DefaultPartitioner();

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
    let transaction: Transaction;
    let parts: readonly PartitionMessages[];
    try {
      parts = await this.#byPartition(records);
      transaction = await (await this.#connected()).transaction();
    } catch (error) {
      await this.#drop();
      return { outcome: isFencing(error) ? 'fenced' : 'refused', cause: toError(error) };
    }
    const failure = await this.#send(transaction, parts);
    if (failure !== null) {
      // Where this fails too, the transaction ends by the next opening or by its time: nothing has told Kafka to commit it.
      if (!isFencing(failure)) await transaction.abort().catch(() => undefined);
      await this.#drop();
      return { outcome: isFencing(failure) ? 'fenced' : 'refused', cause: failure };
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
   * Each partition is a send of its own. Where one send goes to several brokers and one of them refuses, kafkajs tries again while the
   * others still work on the first try: they take its records twice, in one transaction, and all of it is reported as one success. And
   * where partitions change their leader between two tries, those that moved to a broker that has answered already are left out.
   *
   * Resolves when nothing is under way any more, with what went wrong.
   */
  async #send(transaction: Transaction, parts: readonly PartitionMessages[]): Promise<Error | null> {
    const send = async ({ topic, messages }: PartitionMessages): Promise<void> => {
      await transaction.send({ topic, messages, acks: -1, compression: CompressionTypes.GZIP });
    };
    // Alone at first: as long as the transaction before is still ending, each send is turned away and tried again.
    const [first, ...rest] = parts;
    for (const group of [first === undefined ? [] : [first], rest]) {
      const ends = await Promise.allSettled(group.map(send));
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed !== undefined) return toError(failed.reason);
    }
    return null;
  }

  async #byPartition(records: readonly OutgoingRecord[]): Promise<readonly PartitionMessages[]> {
    const parts = new Map<string, PartitionMessages>();
    await this.#learn(new Set(records.map(({ topic }) => topic)));
    for (const record of records) {
      const { topic } = record;
      const message = messageOf(record);
      const partition = this.#choose({ topic, partitionMetadata: this.#partitions.get(topic) ?? [], message });
      const key = `${partition} ${topic}`;
      let part = parts.get(key);
      if (part === undefined) parts.set(key, (part = { topic, partition, messages: [] }));
      part.messages.push({ ...message, partition });
    }
    return [...parts.values()];
  }

  async #learn(topics: ReadonlySet<string>): Promise<void> {
    const unknown = [...topics].filter((topic) => !this.#partitions.has(topic));
    if (unknown.length === 0) return;
    const admin = this.#kafka.admin({ retry: { retries: 2 } });
    try {
      await admin.connect();
      for (const { name, partitions } of (await admin.fetchTopicMetadata({ topics: unknown })).topics)
        this.#partitions.set(name, partitions);
    } finally {
      await admin.disconnect().catch(() => undefined);
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
        createPartitioner: Partitioners.DefaultPartitioner,
        retry: RETRY,
      });
      this.#producer = producer;
      await producer.connect();
    }
    return this.#producer;
  }

  async #drop(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    this.#partitions.clear();
    await producer?.disconnect().catch(() => undefined);
  }
}
