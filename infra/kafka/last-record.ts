import { randomUUID } from 'node:crypto';
import type { Kafka, KafkaMessage } from 'kafkajs';

const TIMEOUT_MS = 30_000;
/** How far before the end the first look begins; each further look goes back sixteen times as far. */
const FIRST_LOOK = 1_000n;

/** Reads a partition from an offset to its present end and keeps the last record. kafkajs reads only as a member of a group. */
const lastSince = async (kafka: Kafka, topic: string, groupId: string, from: bigint, end: bigint): Promise<KafkaMessage | undefined> => {
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 100,
    readUncommitted: false,
    allowAutoTopicCreation: false,
    retry: { retries: 4, restartOnFailure: () => Promise.resolve(false) },
  });
  let last: KafkaMessage | undefined;
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`The end of ${topic} was not reached within ${TIMEOUT_MS} ms.`)), TIMEOUT_MS);
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
      consumer.on('consumer.crash', ({ payload }) => finish(payload.error));
      consumer.on('consumer.end_batch_process', ({ payload }) => {
        if (BigInt(payload.lastOffset) + 1n >= end) finish();
      });
      consumer
        .run({
          autoCommit: false,
          eachBatch: ({ batch }) => {
            last = batch.messages.at(-1) ?? last;
            return Promise.resolve();
          },
        })
        .then(() => consumer.seek({ topic, partition: 0, offset: String(from) }))
        .catch(finish);
    });
  } finally {
    await consumer.disconnect().catch(() => undefined);
  }
  return last;
};

/**
 * The value of the last committed record of a topic with one partition, or `null` when it has none. What is still under way in a transaction
 * is waited for.
 *
 * @throws when Kafka cannot be reached or does not come to the end in time.
 */
export const lastRecord = async (kafka: Kafka, topic: string, groupPrefix: string): Promise<string | null> => {
  const admin = kafka.admin();
  const groupId = `${groupPrefix}${randomUUID()}`;
  try {
    await admin.connect();
    const [range] = await admin.fetchTopicOffsets(topic);
    if (range === undefined) throw new Error(`${topic} has no partition.`);
    const [earliest, end] = [BigInt(range.low), BigInt(range.high)];
    if (earliest === end) return null;
    for (let back = FIRST_LOOK; ; back *= 16n) {
      const from = end - back > earliest ? end - back : earliest;
      const last = await lastSince(kafka, topic, groupId, from, end);
      if (last !== undefined) return last.value?.toString('utf8') ?? null;
      if (from === earliest) return null;
    }
  } finally {
    // A group without members is of no use to anybody; where it may not be deleted, Kafka forgets it by itself.
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect().catch(() => undefined);
  }
};
