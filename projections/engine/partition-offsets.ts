import type { EventId } from '../../schemas/ids.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { Sql } from '../ports/read-model-database.ts';
import type { Checkpoint } from './checkpoint.ts';
import { ENGINE_SCHEMA } from './engine-schema.ts';
import { upTo, upToEach, type Frontier } from './frontier.ts';
import type { Projection } from './projection.ts';

/** How far one projection is in one partition of the topic of events. */
export interface PartitionOffset {
  readonly partition: number;
  readonly topic: string;
  /** Every record before this offset was applied, or was none of the projection's. */
  readonly next: bigint;
  /** Every event of this partition up to this position of the log is shown, and none after it. */
  readonly position: Position;
  readonly eventPosition: Position | null;
  readonly eventId: EventId | null;
}

/** In the order of partitions; there is one for each, or none. */
export const readPartitionOffsets = async (
  sql: Sql,
  { name, version }: Pick<Projection, 'name' | 'version'>,
): Promise<readonly PartitionOffset[]> => {
  const { rows } = await sql.query<PartitionOffset>(
    `SELECT partition, topic, next, position, event_position AS "eventPosition", event_id AS "eventId"
     FROM ${ENGINE_SCHEMA}.partition_offset WHERE projection = $1 AND version = $2 ORDER BY partition`,
    [name, version],
  );
  return rows;
};

/** How far the live build is whose checkpoint this is; both as of one snapshot, or under the checkpoint's lock. */
export const liveFrontier = async (sql: Sql, projection: Projection, checkpoint: Checkpoint): Promise<Frontier> =>
  checkpoint.handedOver === null
    ? upTo(checkpoint.position)
    : upToEach((await readPartitionOffsets(sql, projection)).map(({ position }) => position));
