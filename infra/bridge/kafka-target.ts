import type { Kafka } from 'kafkajs';
import { z } from 'zod';
import type { PublishOutcome } from '../../projections/ports/records.ts';
import { START, type Position, type RecordedEvent } from '../../schemas/event-envelope.ts';
import { toEventRecord } from '../../schemas/event-record.ts';
import { lastRecord } from '../kafka/last-record.ts';
import { KafkaPublisher } from '../kafka/publisher.ts';
import { ensureTopics } from '../kafka/topics.ts';
import { bridgeTopics, eventsTopic, positionTopic, type TopicSettings } from './bridge-topics.ts';

/** What the bridge writes beside each batch, in its transaction. */
const positionRecord = z.object({
  position: z.string().regex(/^\d{1,19}$/),
  fence: z.string().regex(/^\d{1,19}$/),
  holder: z.string(),
});

/** The right to write, and from where on. */
export interface BridgeSession {
  /** The last position of the log that readers of Kafka see. */
  readonly position: Position;
  /** Events that follow on the position, at least one; the position moves with them or not at all. */
  publish(events: readonly RecordedEvent[]): Promise<PublishOutcome>;
  close(): Promise<void>;
}

/** Where events are handed on to. */
export interface BridgeTarget {
  /**
   * Fences every session before, and waits until what they last wrote is either seen or void.
   *
   * @throws when the target cannot be reached.
   */
  open(fence: bigint): Promise<BridgeSession>;
}

export interface KafkaTargetOptions {
  readonly kafka: Kafka;
  readonly topics: TopicSettings;
  readonly replicas?: number | undefined;
  /** Names this process, for people who read the record of the position. */
  readonly holder: string;
}

const KEY = 'events';

/**
 * Each batch and the position it leads to are one transaction, so that one is never seen without the other. The position is read after
 * the transactional id was taken: whoever had it can add nothing any more.
 */
export const kafkaTarget = ({ kafka, topics, replicas, holder }: KafkaTargetOptions): BridgeTarget => {
  const { KAFKA_TOPIC_PREFIX: prefix } = topics;
  return {
    open: async (fence) => {
      await ensureTopics(kafka, bridgeTopics(topics), replicas);
      const publisher = new KafkaPublisher({ kafka, transactionalId: `${prefix}bridge` });
      try {
        await publisher.open();
        const last = await lastRecord(kafka, positionTopic(topics), `${prefix}bridge-position-`);
        const position = last === null ? START : (BigInt(positionRecord.parse(JSON.parse(last)).position) as Position);
        return {
          position,
          publish: (events) => {
            const reached: z.infer<typeof positionRecord> = {
              position: String(events.at(-1)?.position ?? position),
              fence: String(fence),
              holder,
            };
            return publisher.publish([
              ...events.map((event) => ({ topic: eventsTopic(topics), ...toEventRecord(event) })),
              { topic: positionTopic(topics), key: KEY, value: JSON.stringify(reached) },
            ]);
          },
          close: () => publisher.close(),
        };
      } catch (error) {
        await publisher.close();
        throw error;
      }
    },
  };
};
