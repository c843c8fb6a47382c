import type { Kafka } from 'kafkajs';
import type {
  ConsumeOptions,
  PartitionRange,
  RecordConsumer,
  RecordPublisher,
  Records,
  TopicSpec,
} from '../../projections/ports/records.ts';
import type { ProgramLog } from '../logging/logger.ts';
import { KafkaConsumer } from './consumer.ts';
import { KafkaPublisher } from './publisher.ts';
import { ensureTopics, topicRanges } from './topics.ts';

export interface KafkaRecordsOptions {
  readonly kafka: Kafka;
  readonly programLog: Pick<ProgramLog, 'info' | 'warn' | 'error'>;
  /** Brokers that hold each record of topics that are created; three, or as many as there are, unless given. */
  readonly replicas?: number | undefined;
}

/** Everything that consumers and workers do with a Kafka cluster. Closing it closes its publishers; consumers end by their signals. */
export class KafkaRecords implements Records {
  readonly #options: KafkaRecordsOptions;
  readonly #publishers: RecordPublisher[] = [];

  constructor(options: KafkaRecordsOptions) {
    this.#options = options;
  }

  consume(options: ConsumeOptions): RecordConsumer {
    return new KafkaConsumer(this.#options, options);
  }

  publisher(transactionalId: string): RecordPublisher {
    const publisher = new KafkaPublisher({ kafka: this.#options.kafka, transactionalId });
    this.#publishers.push(publisher);
    return publisher;
  }

  ranges(topic: string): Promise<readonly PartitionRange[]> {
    return topicRanges(this.#options.kafka, topic);
  }

  ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    return ensureTopics(this.#options.kafka, topics, this.#options.replicas);
  }

  async close(): Promise<void> {
    await Promise.all(this.#publishers.splice(0).map((publisher) => publisher.close()));
  }
}
