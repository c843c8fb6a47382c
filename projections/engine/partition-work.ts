import { setTimeout as pause } from 'node:timers/promises';
import type { EventId } from '../../schemas/ids.ts';
import { START, type Position, type RecordedEvent } from '../../schemas/event-envelope.ts';
import { EVENT_HEADERS, fromEventRecord } from '../../schemas/event-record.ts';
import type { RunTransaction, Sql } from '../ports/read-model-database.ts';
import type { RecordBatch } from '../ports/records.ts';
import { applyOneByOne, applyWhole, Batch, PoisonEvent, type BatchEvent } from './batch.ts';
import { CheckpointMoved } from './checkpoint.ts';
import { ENGINE_SCHEMA } from './engine-schema.ts';
import type { Target } from './gathered.ts';
import { blockedStreams } from './parked-events.ts';
import { KnownPartitions } from './partitions.ts';
import type { Projection } from './projection.ts';
import { ReadModelsUnavailable } from './read-models-unavailable.ts';
import { partitionOf } from './stream-partition.ts';

/** A projection that follows Kafka. */
export interface HandedOver extends Target {
  /** Which handing over; once there is another, nothing may be written under this one. */
  readonly handedOver: string;
  epoch: bigint;
  blocked: ReadonlySet<string>;
}

export const handedOverMember = (projection: Projection, handedOver: string): HandedOver => ({
  projection,
  partitions: new KnownPartitions(projection, 'live'),
  handedOver,
  epoch: -1n,
  blocked: new Set(),
});

/** A partition of which nothing up to a position is missing. */
export interface ReachedEnd {
  readonly partition: number;
  /** Everything before this offset has been handled. */
  readonly next: bigint;
  /** So it is only if this position is shown already. */
  readonly shown: Position;
}

export interface PartitionWorkOptions {
  readonly transaction: RunTransaction;
  readonly members: readonly HandedOver[];
  /** Of the topic of events. */
  readonly partitionCount: number;
  readonly attempts: number;
  readonly retryMs: number;
  readonly parked: (poison: PoisonEvent) => void;
}

/** What a batch of records comes to for projections. */
interface WantedRecords {
  readonly batch: Batch;
  /** The last of the batch, whether anybody wants it or not; the start of the log for a batch of none. */
  readonly position: Position;
}

interface StoredOffset {
  readonly projection: string;
  readonly next: bigint;
  readonly position: Position;
}

/** Writes what comes from partitions of the topic of events. Several partitions at once, here and in other processes. */
export class PartitionWork {
  readonly #options: PartitionWorkOptions;
  readonly #types: ReadonlySet<string>;

  constructor(options: PartitionWorkOptions) {
    this.#options = options;
    this.#types = new Set(options.members.flatMap(({ projection }) => [...projection.types]));
  }

  /**
   * Rows, places and what is parked, in one transaction. `from` is where reading of the partition went on for this batch: it may lie before what
   * is stored, and that is passed over; it may not lie behind, since then something was left out. Throws {@link CheckpointMoved} then, and when somebody has
   * taken the projections back.
   */
  async apply(batch: RecordBatch, from: bigint): Promise<void> {
    const { attempts, retryMs } = this.#options;
    const wanted = await this.#wantedOf(batch);
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt > attempts;
      try {
        const found = await this.#write(batch, from, wanted, isLast);
        for (const poison of found) this.#options.parked(poison);
        return;
      } catch (error) {
        for (const { partitions } of this.#options.members) partitions.forget();
        if (isLast || error instanceof CheckpointMoved || error instanceof ReadModelsUnavailable) throw error;
        if (error instanceof PoisonEvent) attempt = attempts;
        else await pause(retryMs * attempt);
      }
    }
  }

  /** Notes that partitions show everything up to a position, so that one into which nothing comes does not hold the others up. */
  async reached(ends: readonly ReachedEnd[], position: Position): Promise<void> {
    if (ends.length === 0) return;
    await this.#options.transaction(async (tx) => {
      await this.#lock(tx);
      await tx.query(
        `UPDATE ${ENGINE_SCHEMA}.partition_offset AS o SET next = greatest(o.next, e.next), position = greatest(o.position, $4)
         FROM unnest($1::text[], $2::int[]) AS m(projection, version),
              jsonb_to_recordset($3::jsonb) AS e(partition integer, next bigint, shown bigint)
         WHERE o.projection = m.projection AND o.version = m.version AND o.partition = e.partition AND o.position >= e.shown`,
        [
          ...this.#names,
          JSON.stringify(ends.map(({ partition, next, shown }) => ({ partition, next: next.toString(), shown: shown.toString() }))),
          position,
        ],
      );
    });
  }

  async #wantedOf({ partition, records }: RecordBatch): Promise<WantedRecords> {
    const events: RecordedEvent[] = [];
    let position: Position = START;
    for (const { key, value, headers } of records) {
      const type = headers[EVENT_HEADERS.type];
      const place = headers[EVENT_HEADERS.position];
      if (type === undefined || place === undefined || value === null) continue;
      const at = BigInt(place) as Position;
      if (at > position) position = at;
      if (!this.#types.has(type)) continue;
      const stream = key ?? '';
      if (partitionOf(stream, this.#options.partitionCount) !== partition)
        throw new Error(`${stream} is in partition ${partition}, where it would not be among ${this.#options.partitionCount}`);
      events.push(fromEventRecord(value.toString('utf8')));
    }
    return { batch: await Batch.of(events), position };
  }

  async #write(batch: RecordBatch, from: bigint, wanted: WantedRecords, oneByOne: boolean): Promise<readonly PoisonEvent[]> {
    const { transaction, members } = this.#options;
    const changes: { readonly member: HandedOver; readonly poison: readonly PoisonEvent[] }[] = [];
    await transaction(async (tx) => {
      await this.#lock(tx);
      const stored = await this.#offsets(tx, batch);
      for (const member of members) {
        const offset = stored.find(({ projection }) => projection === member.projection.name);
        if (offset === undefined || offset.next < from) throw new CheckpointMoved([member.projection.name]);
        const fresh = wanted.batch.all.filter(({ recorded }) => recorded.position > offset.position);
        const part = fresh.length === wanted.batch.all.length ? wanted.batch : new Batch(fresh);
        if (oneByOne) changes.push({ member, poison: await applyOneByOne(tx, member, part, member.blocked) });
        else await applyWhole(tx, member, part, member.blocked);
      }
      await this.#move(tx, batch, wanted);
    });
    for (const { member, poison } of changes)
      if (poison.length > 0) member.blocked = new Set([...member.blocked, ...poison.map(({ event }) => event.stream)]);
    return changes.flatMap(({ poison }) => poison);
  }

  /** Others may write to other partitions; nobody can take the projections back, put a rebuild in their place or change what is parked. */
  async #lock(tx: Sql): Promise<void> {
    const { rows } = await tx.query<{ projection: string; epoch: bigint; handedOver: string | null }>(
      `SELECT c.projection, c.epoch, c.handed_over AS "handedOver"
       FROM ${ENGINE_SCHEMA}.checkpoint AS c, unnest($1::text[], $2::int[]) AS m(projection, version)
       WHERE c.build = 'live' AND c.projection = m.projection AND c.version = m.version ORDER BY c.projection FOR SHARE OF c`,
      this.#names,
    );
    for (const member of this.#options.members) {
      const { name } = member.projection;
      const row = rows.find(({ projection }) => projection === name);
      if (row?.handedOver !== member.handedOver) throw new CheckpointMoved([name]);
      if (row.epoch === member.epoch) continue;
      member.blocked = await blockedStreams(tx, member.projection);
      member.partitions.forget();
      member.epoch = row.epoch;
    }
  }

  async #offsets(tx: Sql, { topic, partition }: RecordBatch): Promise<readonly StoredOffset[]> {
    const { rows } = await tx.query<StoredOffset>(
      `SELECT o.projection, o.next, o.position
       FROM ${ENGINE_SCHEMA}.partition_offset AS o, unnest($1::text[], $2::int[]) AS m(projection, version)
       WHERE o.projection = m.projection AND o.version = m.version AND o.topic = $3 AND o.partition = $4 ORDER BY o.projection FOR UPDATE OF o`,
      [...this.#names, topic, partition],
    );
    return rows;
  }

  async #move(tx: Sql, { partition, next }: RecordBatch, { batch, position }: WantedRecords): Promise<void> {
    const last: BatchEvent | undefined = batch.all.at(-1);
    const lastId: EventId | null = last?.recorded.eventId ?? null;
    await tx.query(
      `UPDATE ${ENGINE_SCHEMA}.partition_offset AS o
       SET next = greatest(o.next, $4), position = greatest(o.position, $5),
           event_position = CASE WHEN $6::bigint > o.position THEN $6 ELSE o.event_position END,
           event_id = CASE WHEN $6::bigint > o.position THEN $7::uuid ELSE o.event_id END
       FROM unnest($1::text[], $2::int[]) AS m(projection, version)
       WHERE o.projection = m.projection AND o.version = m.version AND o.partition = $3`,
      [...this.#names, partition, next, position, last?.recorded.position ?? null, lastId],
    );
  }

  get #names(): [readonly string[], readonly number[]] {
    const { members } = this.#options;
    return [members.map(({ projection }) => projection.name), members.map(({ projection }) => projection.version)];
  }
}
