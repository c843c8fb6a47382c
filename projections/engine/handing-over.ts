import type { EventId } from '../../schemas/ids.ts';
import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { Sql } from '../ports/read-model-database.ts';
import type { PartitionRange } from '../ports/records.ts';
import { applyOneByOne, Batch, type PoisonEvent } from './batch.ts';
import { ENGINE_SCHEMA } from './engine-schema.ts';
import { blockedStreams } from './parked-events.ts';
import { readPartitionOffsets } from './partition-offsets.ts';
import { upToEach } from './frontier.ts';
import { KnownPartitions } from './partitions.ts';
import type { Projection } from './projection.ts';

export interface HandingOver {
  /** Every partition of the topic of events. */
  readonly ranges: readonly PartitionRange[];
  /** Everything up to here was in the topic at some moment after its partitions were looked at. */
  readonly published: Position;
}

/** Locks the live checkpoint of a projection against everybody who writes to it. */
const lockCheckpoint = async (
  tx: Sql,
  { name, version }: Projection,
): Promise<{
  readonly position: Position;
  readonly handedOver: string | null;
  readonly eventPosition: Position | null;
  readonly eventId: EventId | null;
} | null> => {
  const { rows } = await tx.query<{
    position: Position;
    handedOver: string | null;
    eventPosition: Position | null;
    eventId: EventId | null;
  }>(
    `SELECT position, handed_over AS "handedOver", event_position AS "eventPosition", event_id AS "eventId"
     FROM ${ENGINE_SCHEMA}.checkpoint WHERE projection = $1 AND version = $2 AND build = 'live' FOR UPDATE`,
    [name, version],
  );
  return rows[0] ?? null;
};

/**
 * Lets a projection that follows the log follow Kafka from here on, once it is as far as Kafka is: then whatever the topic has lost, or holds in
 * other partitions than it has now, is shown already. Each partition begins where it was left, or at its beginning, and passes over what is
 * shown. Answers whether it did.
 */
export const handOver = async (tx: Sql, projection: Projection, { ranges, published }: HandingOver): Promise<boolean> => {
  const checkpoint = await lockCheckpoint(tx, projection);
  if (checkpoint === null || checkpoint.handedOver !== null || checkpoint.position < published || ranges.length === 0) return false;
  const { name, version } = projection;
  const left = await readPartitionOffsets(tx, projection);
  const isSame = left.length === ranges.length;
  const rows = ranges.map(({ topic, partition, earliest, end }) => {
    const next = isSame ? left.find((row) => row.partition === partition && row.topic === topic)?.next : undefined;
    return { partition, topic, next: (next === undefined || next < earliest || next > end ? earliest : next).toString() };
  });
  await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.partition_offset WHERE projection = $1 AND version = $2`, [name, version]);
  await tx.query(
    `INSERT INTO ${ENGINE_SCHEMA}.partition_offset (projection, version, partition, topic, next, position)
     SELECT $1, $2, partition, topic, next, $4 FROM jsonb_to_recordset($3::jsonb) AS r(partition integer, topic text, next bigint)`,
    [name, version, JSON.stringify(rows), checkpoint.position],
  );
  await tx.query(
    `UPDATE ${ENGINE_SCHEMA}.checkpoint SET handed_over = gen_random_uuid(), epoch = epoch + 1, updated_at = now()
     WHERE projection = $1 AND version = $2 AND build = 'live'`,
    [name, version],
  );
  return true;
};

const CHUNK_EVENTS = 2_000;

/**
 * Lets a projection that follows Kafka follow the log from here on. Its partitions are at different places: what some show and others do not
 * is taken from the log, for these others alone. Where each partition was is kept, for a handing over later. Answers with what had to be parked; `null` when it
 * followed the log already.
 */
export const takeBack = async (tx: Sql, feed: EventFeed, projection: Projection): Promise<readonly PoisonEvent[] | null> => {
  const checkpoint = await lockCheckpoint(tx, projection);
  if (checkpoint === null || checkpoint.handedOver === null) return null;
  const { name, version, types } = projection;
  const offsets = await readPartitionOffsets(tx, projection);
  const shown = upToEach(offsets.map(({ position }) => position));
  const target = { projection, partitions: new KnownPartitions(projection, 'live') };
  const blocked = new Set(await blockedStreams(tx, projection));
  const poison: PoisonEvent[] = [];

  let last = { eventPosition: checkpoint.eventPosition, eventId: checkpoint.eventId };
  for (const { eventPosition, eventId } of offsets)
    if (eventPosition !== null && (last.eventPosition === null || eventPosition > last.eventPosition)) last = { eventPosition, eventId };

  let chunk: RecordedEvent[] = [];
  const applyChunk = async (): Promise<void> => {
    const found = await applyOneByOne(tx, target, await Batch.of(chunk), blocked);
    for (const { event } of found) blocked.add(event.stream);
    poison.push(...found);
    chunk = [];
  };
  for await (const event of feed.readAll({ after: shown.least, upTo: shown.most, filter: { types } })) {
    if (last.eventPosition === null || event.position > last.eventPosition)
      last = { eventPosition: event.position, eventId: event.eventId };
    if (shown.covers(event)) continue;
    chunk.push(event);
    if (chunk.length >= CHUNK_EVENTS) await applyChunk();
  }
  if (chunk.length > 0) await applyChunk();
  await tx.query(
    `UPDATE ${ENGINE_SCHEMA}.checkpoint
     SET handed_over = NULL, position = $3, event_position = $4, event_id = $5, epoch = epoch + 1, updated_at = now()
     WHERE projection = $1 AND version = $2 AND build = 'live'`,
    [name, version, shown.most, last.eventPosition, last.eventId],
  );
  return poison;
};
