import type { TopicSpec } from '../../projections/ports/records.ts';
import type { Config } from '../../schemas/config.ts';

const HOUR_MS = 3_600_000;
/** More than any event can take: its data is bounded by the log, and one transaction's records by the bridge. */
const LARGEST_BATCH_BYTES = 8_388_608;

export type TopicSettings = Pick<Config, 'KAFKA_TOPIC_PREFIX' | 'KAFKA_PARTITIONS' | 'KAFKA_RETENTION_HOURS'>;

/** The topic of all events, keyed by stream. */
export const eventsTopic = ({ KAFKA_TOPIC_PREFIX: prefix }: Pick<Config, 'KAFKA_TOPIC_PREFIX'>): string => `${prefix}events`;

/** Where the bridge says how far it is: the last record counts. */
export const positionTopic = ({ KAFKA_TOPIC_PREFIX: prefix }: Pick<Config, 'KAFKA_TOPIC_PREFIX'>): string => `${prefix}bridge-position`;

/** The topics that the bridge creates, and how. */
export const bridgeTopics = (settings: TopicSettings): readonly TopicSpec[] => [
  {
    topic: eventsTopic(settings),
    partitions: settings.KAFKA_PARTITIONS,
    settings: {
      'cleanup.policy': 'delete',
      'retention.ms': String(settings.KAFKA_RETENTION_HOURS * HOUR_MS),
      'max.message.bytes': String(LARGEST_BATCH_BYTES),
      // What was written last must not be lost to a replica that lacks it; better nothing is written for a while.
      'unclean.leader.election.enable': 'false',
    },
  },
  {
    topic: positionTopic(settings),
    partitions: 1,
    settings: {
      'cleanup.policy': 'compact',
      'segment.bytes': '4194304',
      'min.cleanable.dirty.ratio': '0.1',
      'unclean.leader.election.enable': 'false',
    },
  },
];
