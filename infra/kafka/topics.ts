import { setTimeout as pause } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import type { PartitionRange, TopicSpec } from '../../projections/ports/records.ts';

const LEADER_TRIES = 50;
const LEADER_PAUSE_MS = 100;

const isLed = async (admin: Admin, topic: string): Promise<boolean> => {
  const found = await admin.fetchTopicMetadata({ topics: [topic] });
  if (!found.topics.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0))) return false;
  // Any broker says who leads; only the leaders themselves say where their partitions end.
  await admin.fetchTopicOffsets(topic);
  return true;
};

/** Waits for a new topic to be known, and to its leaders too, but not for ever: whoever uses it tries again as well. */
const untilLed = async (admin: Admin, topic: string): Promise<void> => {
  for (let tries = 0; tries < LEADER_TRIES; tries += 1) {
    if (await isLed(admin, topic).catch(() => false)) return;
    await pause(LEADER_PAUSE_MS);
  }
};

/** Beyond three, replicas cost disk and buy little. */
const REPLICAS = 3;

/**
 * Creates what is not there. Replicated to three brokers, or to as many as there are; a record counts as written when two have it, so one broker
 * may be lost and none of what was acknowledged is.
 *
 * @param replicas how many replicas to make; as above unless given.
 */
export const ensureTopics = async (kafka: Kafka, topics: readonly TopicSpec[], replicas?: number): Promise<void> => {
  const admin = kafka.admin({ retry: { retries: 3 } });
  try {
    await admin.connect();
    const present = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !present.has(topic));
    if (missing.length === 0) return;
    const replicationFactor = replicas ?? Math.min(REPLICAS, (await admin.describeCluster()).brokers.length);
    const inSync = String(replicationFactor >= REPLICAS ? 2 : 1);
    // One at a time: when another process was quicker with one of several, none of the others would be created.
    for (const { topic, partitions, settings = {} } of missing) {
      const entries = { 'min.insync.replicas': inSync, ...settings };
      await admin.createTopics({
        // kafkajs waits for leaders by asking once, and gives up when the broker it asks has not heard of the topic yet.
        waitForLeaders: false,
        topics: [
          {
            topic,
            numPartitions: partitions,
            replicationFactor,
            configEntries: Object.entries(entries).map(([name, value]) => ({ name, value })),
          },
        ],
      });
    }
    for (const { topic } of missing) await untilLed(admin, topic);
  } finally {
    await admin.disconnect();
  }
};

/** Every partition of a topic. @throws when Kafka cannot be reached or has no such topic. */
export const topicRanges = async (kafka: Kafka, topic: string): Promise<readonly PartitionRange[]> => {
  const admin = kafka.admin({ retry: { retries: 3 } });
  try {
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets
      .map(({ partition, low, high }) => ({ topic, partition, earliest: BigInt(low), end: BigInt(high) }))
      .sort((a, b) => a.partition - b.partition);
  } finally {
    await admin.disconnect();
  }
};
