import pg from 'pg';
import { Registry } from 'prom-client';
import { startBridge } from '../../../infra/bridge/start-bridge.ts';
import { migrateEventLog } from '../../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { openKafka } from '../../../infra/kafka/open-kafka.ts';
import { KafkaRecords } from '../../../infra/kafka/records.ts';
import type { ProgramLog } from '../../../infra/logging/logger.ts';
import type { EventFeed } from '../../../projections/ports/event-feed.ts';
import type { Records } from '../../../projections/ports/records.ts';
import { silentLog } from './silent-log.ts';

export const programLog: ProgramLog = { ...silentLog, request: () => undefined, dropped: () => 0, flushSync: () => undefined };

/** What a bridge of a test is told. */
export interface BridgePlace {
  readonly brokers: string;
  readonly prefix: string;
  readonly databaseUrl: string;
  readonly leaseMs?: number;
}

export const bridgeConfig = ({ brokers, prefix, databaseUrl }: BridgePlace) =>
  ({
    KAFKA_BROKERS: brokers,
    KAFKA_SSL: false,
    KAFKA_TOPIC_PREFIX: prefix,
    KAFKA_PARTITIONS: 3,
    KAFKA_RETENTION_HOURS: 1,
    KAFKA_REPLICAS: undefined,
    DATABASE_URL: databaseUrl,
  }) as const;

/** A bridge in this process. */
export interface TestBridge {
  /** The value of one of its figures. */
  figure(name: string): Promise<number>;
  stop(): Promise<void>;
}

export const startTestBridge = (place: BridgePlace, feed: EventFeed, name = 'test'): TestBridge => {
  const registry = new Registry();
  const stop = startBridge({ config: bridgeConfig(place), feed, programLog, registry, processName: name, leaseMs: place.leaseMs ?? 2_000 });
  return {
    figure: async (figure) => {
      const line = (await registry.metrics()).split('\n').find((text) => text.startsWith(`${figure} `));
      return Number(line?.split(' ')[1] ?? Number.NaN);
    },
    stop,
  };
};

export const openRecords = (brokers: string): Records =>
  new KafkaRecords({ kafka: openKafka({ KAFKA_BROKERS: brokers, KAFKA_SSL: false }, silentLog), programLog: silentLog });

export const openMigratedLog = async (connectionString: string) => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await migrateEventLog(client);
  } finally {
    await client.end();
  }
  return openPostgresLog({ connectionString });
};
