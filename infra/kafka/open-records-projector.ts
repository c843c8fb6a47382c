import type { PositionBoard } from '../../projections/engine/position-board.ts';
import type { Projection } from '../../projections/engine/projection.ts';
import { RecordsProjector } from '../../projections/engine/records-projector.ts';
import type { EventFeed } from '../../projections/ports/event-feed.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import type { Config } from '../../schemas/config.ts';
import { eventsTopic, positionTopic } from '../bridge/bridge-topics.ts';
import { systemClock } from '../clock.ts';
import type { ProgramLog } from '../logging/logger.ts';
import { tellOfProjector } from '../server/projector-news.ts';
import { openKafka, type KafkaConfig } from './open-kafka.ts';
import { KafkaRecords } from './records.ts';

export interface OpenRecordsProjectorOptions {
  readonly config: KafkaConfig & Pick<Config, 'KAFKA_TOPIC_PREFIX'>;
  readonly feed: EventFeed;
  readonly database: ReadModelDatabase;
  readonly projections: readonly Projection[];
  readonly board: PositionBoard;
  readonly processName: string;
  readonly programLog: ProgramLog;
}

/** The projector of what follows Kafka, on the cluster that is configured. */
export const openRecordsProjector = ({ config, programLog, ...rest }: OpenRecordsProjectorOptions): RecordsProjector =>
  new RecordsProjector({
    ...rest,
    records: new KafkaRecords({ kafka: openKafka(config, programLog), programLog }),
    clock: systemClock,
    topics: { events: eventsTopic(config), position: positionTopic(config) },
    groupPrefix: config.KAFKA_TOPIC_PREFIX,
    report: tellOfProjector(programLog),
  });
