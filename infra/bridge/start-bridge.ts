import type { Registry } from 'prom-client';
import type { EventFeed } from '../../projections/ports/event-feed.ts';
import type { Config } from '../../schemas/config.ts';
import { openKafka } from '../kafka/open-kafka.ts';
import type { KafkaConfig } from '../kafka/open-kafka.ts';
import type { ProgramLog } from '../logging/logger.ts';
import { BridgeLease } from './bridge-lease.ts';
import { bridgeMetrics } from './bridge-metrics.ts';
import type { TopicSettings } from './bridge-topics.ts';
import { kafkaTarget } from './kafka-target.ts';
import { runBridge } from './run-bridge.ts';

/** After this long without a sign of life a bridge counts as dead, and another one takes over. */
const LEASE_MS = 10_000;

export interface BridgeOptions {
  readonly config: KafkaConfig & TopicSettings & Pick<Config, 'KAFKA_REPLICAS'> & { readonly DATABASE_URL: string };
  readonly feed: EventFeed;
  readonly programLog: ProgramLog;
  readonly registry: Registry;
  /** Names this process. */
  readonly processName: string;
  readonly leaseMs?: number;
}

/** Starts handing events on to Kafka, or waiting for the turn to do so. Returns what ends it; never fails by itself. */
export const startBridge = ({
  config,
  feed,
  programLog,
  registry,
  processName,
  leaseMs = LEASE_MS,
}: BridgeOptions): (() => Promise<void>) => {
  const stopping = new AbortController();
  const { KAFKA_TOPIC_PREFIX: prefix } = config;
  const lease = new BridgeLease({
    connectionString: config.DATABASE_URL,
    name: `${prefix}bridge`,
    holder: processName,
    ttlMs: leaseMs,
    onFault: (error) => programLog.warn('the lease of the bridge to Kafka could not be looked after', { error }),
  });
  const target = kafkaTarget({
    kafka: openKafka(config, programLog),
    topics: config,
    replicas: config.KAFKA_REPLICAS,
    holder: processName,
  });
  const ran = runBridge({ feed, lease, target, observer: bridgeMetrics(registry), programLog }, stopping.signal);
  let ended: Promise<void> | undefined;
  return () => {
    stopping.abort();
    ended ??= ran.then(() => lease.close());
    return ended;
  };
};
