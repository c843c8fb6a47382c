import { openKafka } from '../../../infra/kafka/open-kafka.ts';
import { KafkaRecords } from '../../../infra/kafka/records.ts';
import { openReadModels, type ReadModels } from '../../../infra/read-models/read-models.ts';
import { PositionBoard } from '../../../projections/engine/position-board.ts';
import type { ProjectorReport } from '../../../projections/engine/projector-report.ts';
import { RecordsProjector } from '../../../projections/engine/records-projector.ts';
import type { EventFeed } from '../../../projections/ports/event-feed.ts';
import { projectionsBySource } from '../../../projections/registry.ts';
import { silentLog } from '../kafka/silent-log.ts';

export interface FollowingOptions {
  readonly brokers: string;
  readonly prefix: string;
  readonly databaseUrl: string;
  readonly feed: EventFeed;
  readonly name: string;
}

/** A process that follows Kafka, as far as a test needs one. */
export interface Following {
  readonly board: PositionBoard;
  readonly models: ReadModels;
  readonly reports: readonly ProjectorReport[];
  stop(): Promise<void>;
}

export const topicsOf = (prefix: string) => ({ events: `${prefix}events`, position: `${prefix}bridge-position` });

export const recordsOn = (brokers: string): KafkaRecords =>
  new KafkaRecords({ kafka: openKafka({ KAFKA_BROKERS: brokers, KAFKA_SSL: false }, silentLog), programLog: silentLog });

export const startFollowing = async ({ brokers, prefix, databaseUrl, feed, name }: FollowingOptions): Promise<Following> => {
  const models = await openReadModels({ kind: 'postgres', connectionString: databaseUrl });
  const { kafka: projections } = projectionsBySource(true);
  const board = new PositionBoard({ database: models.database, projections, pollMs: 10 });
  const records = recordsOn(brokers);
  const reports: ProjectorReport[] = [];
  const projector = new RecordsProjector({
    records,
    feed,
    database: models.database,
    projections,
    board,
    clock: { now: () => Date.now() },
    topics: topicsOf(prefix),
    groupPrefix: prefix,
    processName: name,
    policy: { lingerMs: 0, longestLingerMs: 0, retryMs: 1, lookMs: 30, sessionMs: 6_000, longestPauseMs: 200 },
    report: (report) => {
      reports.push(report);
      silentLog.info(`${name}: ${report.kind}`, { ...report });
    },
  });
  const stopping = new AbortController();
  const running = projector.run(stopping.signal);
  return {
    board,
    models,
    reports,
    stop: async () => {
      stopping.abort();
      await running;
      await records.close();
      await models.close();
    },
  };
};
