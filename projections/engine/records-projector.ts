import { setTimeout as pause } from 'node:timers/promises';
import { START, type Position } from '../../schemas/event-envelope.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { ReadModelDatabase } from '../ports/read-model-database.ts';
import type { LaterRest, PartitionRange, RecordBatch, RecordConsumer, Records, TopicPartition } from '../ports/records.ts';
import { CheckpointMoved, ensureLiveTables, readCheckpoints } from './checkpoint.ts';
import { ENGINE_HISTORY } from './engine-schema.ts';
import { handOver, takeBack } from './handing-over.ts';
import { migrate } from './migrations.ts';
import { readPartitionOffsets, type PartitionOffset } from './partition-offsets.ts';
import { handedOverMember, PartitionWork, type HandedOver } from './partition-work.ts';
import type { PositionBoard } from './position-board.ts';
import type { Projection } from './projection.ts';
import { ReadModelsUnavailable } from './read-models-unavailable.ts';
import { DEFAULT_PROJECTOR_POLICY, type ProjectorPolicy } from './projector-policy.ts';
import type { ProjectorReport } from './projector-report.ts';
import { Projector } from './projector.ts';
import { PublishedPosition } from './published-position.ts';
import { partitionOf } from './stream-partition.ts';
import { dropSupersededVersions } from './superseded-versions.ts';

export interface RecordsProjectorOptions {
  readonly records: Records;
  /** For what is not in Kafka, or not yet. */
  readonly feed: EventFeed;
  readonly database: ReadModelDatabase;
  /** What follows Kafka. */
  readonly projections: readonly Projection[];
  readonly board: PositionBoard;
  readonly clock: Clock;
  /** The topic of events, and that in which the bridge says how far it is. */
  readonly topics: { readonly events: string; readonly position: string };
  /** What the names of our groups begin with. */
  readonly groupPrefix: string;
  /** Tells this process from all others. */
  readonly processName: string;
  readonly policy?: Partial<RecordsProjectorPolicy>;
  readonly report?: (report: ProjectorReport) => void;
}

export interface RecordsProjectorPolicy extends ProjectorPolicy {
  /** How many partitions are written at once. */
  readonly concurrency: number;
  /** How often is looked whether partitions are at their ends, and whether anything was handed over or taken back. */
  readonly lookMs: number;
  readonly sessionMs: number;
}

const DEFAULT_POLICY: RecordsProjectorPolicy = {
  ...DEFAULT_PROJECTOR_POLICY,
  lingerMs: 100,
  concurrency: 3,
  lookMs: 250,
  sessionMs: 20_000,
};

const sameSet = (one: readonly HandedOver[], other: readonly HandedOver[]): boolean =>
  one.length === other.length && one.every(({ handedOver }, index) => handedOver === other[index]?.handedOver);

/** Handing over asks Kafka for all its partitions, so that is not done at every look. */
const HAND_OVER_LOOKS = 4;

/** A bridge that is further behind would show less than the log does. */
const NEAR_MS = 5_000;

/** What follows Kafka together, in every process alike: members of one group must agree on what they apply. */
const groupOf = (prefix: string, members: readonly HandedOver[]): string =>
  `${prefix}projector.${members.map(({ projection: { name, version } }) => `${name}.v${version}`).join('_')}`;

/**
 * Keeps read models current from Kafka: in every process that runs it, each with some of the partitions. How far each partition is, is in the
 * transaction that changes the rows. A projection follows the log until it is as far as Kafka is, and is then handed over; what Kafka has lost is
 * taken from the log in the same way.
 */
export class RecordsProjector {
  readonly #options: RecordsProjectorOptions;
  readonly #policy: RecordsProjectorPolicy;
  #triedAt = -Infinity;

  constructor(options: RecordsProjectorOptions) {
    this.#options = options;
    this.#policy = { ...DEFAULT_POLICY, ...options.policy };
  }

  /** Projects until the signal aborts; then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { records, topics, groupPrefix, processName } = this.#options;
    const published = new PublishedPosition(records, {
      topic: topics.position,
      group: `${groupPrefix}published.${processName}`,
      clock: this.#options.clock,
      signal,
    });
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#session(published, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        this.#interrupted(error);
      }
      if (failures > 0) await this.#pause(Math.min(this.#policy.longestPauseMs, 50 * 2 ** Math.min(failures, 16)), signal);
    }
    await published.ended;
  }

  /** Goes on for as long as the same projections follow Kafka. */
  async #session(published: PublishedPosition, signal: AbortSignal): Promise<void> {
    const { database, projections } = this.#options;
    await database.transaction(
      async (tx) => {
        await migrate(tx, ENGINE_HISTORY);
        await dropSupersededVersions(tx, projections);
        await ensureLiveTables(tx, projections);
      },
      { patient: true },
    );
    const members = await this.#handedOver();
    const onLog = projections.filter((projection) => !members.some((member) => member.projection === projection));
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const following = onLog.length === 0 ? Promise.resolve() : this.#followLog(onLog, until);
    const reading = members.length === 0 ? null : await this.#read(members, over);
    let failure: unknown = null;
    try {
      while (!until.aborted) {
        await this.#pause(this.#policy.lookMs, until);
        if (until.aborted) break;
        if (!(await this.#goesOn(members, onLog, reading, published))) break;
      }
    } catch (error) {
      failure = error;
    }
    over.abort();
    await Promise.all([following, reading?.consumer?.ended]);
    if (reading?.lost === true && !signal.aborted) await this.#takeBack(members);
    if (failure !== null) throw failure instanceof Error ? failure : new Error('following Kafka failed', { cause: failure });
  }

  /** A look around. A database that is away is waited for where the partitions are: to give them up would only make others wait too. */
  async #goesOn(
    members: readonly HandedOver[],
    onLog: readonly Projection[],
    reading: Reading | null,
    published: PublishedPosition,
  ): Promise<boolean> {
    try {
      const now = this.#options.clock.now();
      if (onLog.length > 0 && now - this.#triedAt >= HAND_OVER_LOOKS * this.#policy.lookMs) {
        this.#triedAt = now;
        await this.#handOver(onLog, published);
      }
      await reading?.noteEnds(published);
      return sameSet(members, await this.#handedOver());
    } catch (error) {
      if (!(error instanceof ReadModelsUnavailable)) throw error;
      this.#interrupted(error);
      return true;
    }
  }

  async #handedOver(): Promise<readonly HandedOver[]> {
    const { database, projections } = this.#options;
    const checkpoints = await readCheckpoints(database);
    return projections.flatMap((projection) => {
      const found = checkpoints.find(
        ({ projection: name, version, build }) => build === 'live' && name === projection.name && version === projection.version,
      );
      return found === undefined || found.handedOver === null ? [] : [handedOverMember(projection, found.handedOver)];
    });
  }

  #followLog(projections: readonly Projection[], signal: AbortSignal): Promise<void> {
    const { feed, database, board, clock, report } = this.#options;
    const projector = new Projector({
      feed,
      database,
      projections,
      board,
      clock,
      policy: this.#policy,
      right: 'until_handed_over',
      ...(report === undefined ? {} : { report }),
    });
    return projector.run(signal);
  }

  /** Kafka that cannot be asked is no fault of ours: they go on following the log. */
  async #handOver(projections: readonly Projection[], published: PublishedPosition): Promise<void> {
    const { records, topics, database } = this.#options;
    const ranges = await records.ranges(topics.events).catch(() => []);
    if (ranges.length === 0) return;
    const position = await published.current().catch(() => null);
    if (position === null || (await this.#bridgeLag(position)) > NEAR_MS) return;
    for (const projection of projections) {
      const isOver = await database.transaction((tx) => handOver(tx, projection, { ranges, published: position }));
      if (isOver) this.#report({ kind: 'handed_over', projections: [projection.name] });
    }
  }

  /** How long the oldest event that is not published has been waiting, in milliseconds. */
  async #bridgeLag(published: Position): Promise<number> {
    const { feed, clock } = this.#options;
    for await (const event of feed.readAll({ after: published, limit: 1 })) return clock.now() - Date.parse(event.recordedAt);
    return 0;
  }

  async #takeBack(members: readonly HandedOver[]): Promise<void> {
    const { database, feed } = this.#options;
    for (const { projection } of members) {
      const poison = await database.transaction((tx) => takeBack(tx, feed, projection), { patient: true });
      if (poison === null) continue;
      this.#report({ kind: 'taken_back', projections: [projection.name] });
      for (const found of poison) this.#report({ kind: 'parked', poison: found });
    }
  }

  async #read(members: readonly HandedOver[], over: AbortController): Promise<Reading> {
    const { records, database, topics, groupPrefix } = this.#options;
    const { attempts, retryMs, concurrency, sessionMs, lingerMs } = this.#policy;
    const offsets = await Promise.all(members.map(({ projection }) => readPartitionOffsets(database, projection)));
    const work = new PartitionWork({
      transaction: database.transaction,
      members,
      partitionCount: offsets[0]?.length ?? 0,
      attempts,
      retryMs,
      parked: (poison) => this.#report({ kind: 'parked', poison }),
    });
    const reading = new Reading({
      work,
      storedOffsets: () => Promise.all(members.map(({ projection }) => readPartitionOffsets(database, projection))),
      lastWanted: (position) => this.#lastWanted(members, position),
      partitionsNow: async () => (await records.ranges(topics.events)).length,
      lingerMs,
      clock: this.#options.clock,
      end: (error) => {
        if (error !== null) this.#interrupted(error);
        over.abort();
      },
      failed: (error) => this.#interrupted(error),
    });
    reading.consumer = records.consume({
      group: groupOf(groupPrefix, members),
      topics: [topics.events],
      handler: reading,
      signal: over.signal,
      concurrency,
      sessionMs,
    });
    return reading;
  }

  async #lastWanted(members: readonly HandedOver[], upTo: Position): Promise<ReadonlyMap<number, Position>> {
    const { feed, database } = this.#options;
    const offsets = (await Promise.all(members.map(({ projection }) => readPartitionOffsets(database, projection)))).flat();
    const after = offsets.reduce((least, { position }) => (position < least ? position : least), upTo);
    const partitions = Math.max(...offsets.map(({ partition }) => partition)) + 1;
    const types = [...new Set(members.flatMap(({ projection }) => projection.types))];
    const last = new Map<number, Position>();
    for await (const { stream, position } of feed.readAll({ after, upTo, filter: { types } }))
      last.set(partitionOf(stream, partitions), position);
    return last;
  }

  #interrupted(error: unknown): void {
    this.#report({
      kind: 'interrupted',
      fenced: error instanceof CheckpointMoved,
      error: error instanceof Error ? error : new Error(String(error)),
    });
  }

  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    await pause(milliseconds, undefined, { signal }).catch(() => undefined);
  }

  #report(report: ProjectorReport): void {
    this.#options.report?.(report);
  }
}

interface ReadingOptions {
  readonly work: PartitionWork;
  /** For each projection, how far it is. */
  readonly storedOffsets: () => Promise<readonly (readonly PartitionOffset[])[]>;
  readonly partitionsNow: () => Promise<number>;
  /** The last event that is wanted of each partition, of those that not every partition shows, up to a position of the log. */
  readonly lastWanted: (upTo: Position) => Promise<ReadonlyMap<number, Position>>;
  readonly lingerMs: number;
  readonly clock: Clock;
  /** The session is over: somebody else has moved what is stored, or Kafka no longer has what comes next. */
  readonly end: (error: Error | null) => void;
  readonly failed: (error: unknown) => void;
}

const AWAY_MS = 250;

/** After so long without a further transaction nothing more is waited for to settle the last one. */
const QUIET_MS = 300;

/** Partitions in the hands of this process. */
class Reading {
  readonly #options: ReadingOptions;
  /** Where reading goes on in each partition, as far as it was handled. */
  readonly #next = new Map<number, bigint>();
  readonly #committedAt = new Map<number, number>();
  #noted = -1n;
  #quietAt = -1n;
  #away = 0;
  consumer: RecordConsumer | null = null;
  /** Kafka no longer has, or no longer has in the same place, what comes next. */
  lost = false;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  readonly assigned = async (ranges: readonly PartitionRange[]): Promise<readonly (TopicPartition & { readonly offset: bigint })[]> => {
    const { storedOffsets, partitionsNow, end } = this.#options;
    const all = await storedOffsets();
    const partitions = await partitionsNow();
    const places: (TopicPartition & { readonly offset: bigint })[] = [];
    for (const { topic, partition, earliest, end: last } of ranges) {
      let offset: bigint | null = null;
      for (const offsets of all) {
        const row = offsets.find((stored) => stored.partition === partition);
        if (row === undefined || row.topic !== topic || offsets.length !== partitions || row.next < earliest || row.next > last) {
          this.lost = true;
          end(null);
          throw new Error(`${topic} no longer has what comes next in partition ${partition}`);
        }
        if (offset === null || row.next < offset) offset = row.next;
      }
      if (offset === null) continue;
      this.#next.set(partition, offset);
      places.push({ topic, partition, offset });
    }
    return places;
  };

  readonly revoked = (partitions: readonly TopicPartition[]): void => {
    for (const { partition } of partitions) this.#next.delete(partition);
    this.#noted = -1n;
    this.#quietAt = -1n;
  };

  readonly batch = async (batch: RecordBatch, signal: AbortSignal): Promise<void | LaterRest> => {
    const { work, lingerMs, clock, end, failed } = this.#options;
    const { partition } = batch;
    const from = this.#next.get(partition);
    if (from === undefined) return { from: batch.records[0]?.offset ?? 0n, afterMs: AWAY_MS };
    // What comes meanwhile is taken in one with what comes next.
    const lingerLeft = (this.#committedAt.get(partition) ?? -Infinity) + lingerMs - clock.now();
    if (lingerLeft > 0 && lingerLeft <= lingerMs) await pause(lingerLeft, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return { from, afterMs: 0 };
    try {
      await work.apply(batch, from);
    } catch (error) {
      if (error instanceof CheckpointMoved) end(error);
      else failed(error);
      this.#away = Math.min(this.#away + 1, 5);
      return { from, afterMs: AWAY_MS * this.#away };
    }
    this.#away = 0;
    this.#next.set(partition, batch.next);
    this.#committedAt.set(partition, clock.now());
  };

  /**
   * Moves partitions that are at their ends. The position is read before the ends are: what had settled by then lies before them. What was published last
   * does not settle before more is published, so when all is quiet the log is asked which partitions have any of it.
   */
  async noteEnds(published: PublishedPosition): Promise<void> {
    const { work, clock, lastWanted } = this.#options;
    const { settled } = published;
    if (settled > this.#noted && this.consumer !== null) {
      const lags = await this.consumer.lag().catch(() => []);
      const ends = lags.filter(({ partition, next, end }) => next >= end && this.#next.has(partition));
      await work.reached(
        ends.map(({ partition, end }) => ({ partition, next: end, shown: START })),
        settled,
      );
      // Partitions that are just being placed have no end to be compared with, and are looked at again.
      if (ends.length > 0 && ends.length === this.#next.size) this.#noted = settled;
    }
    const { position, since } = published.known;
    if (position <= settled || position <= this.#quietAt || clock.now() - since < QUIET_MS) return;
    const last = await lastWanted(position);
    const mine = [...this.#next.keys()];
    await work.reached(
      mine.map((partition) => ({ partition, next: 0n, shown: last.get(partition) ?? START })),
      position,
    );
    if (await this.#shows(mine, position)) this.#quietAt = position;
  }

  async #shows(partitions: readonly number[], position: Position): Promise<boolean> {
    const all = await this.#options.storedOffsets();
    return (
      partitions.length > 0 && all.every((offsets) => partitions.every((partition) => (offsets[partition]?.position ?? START) >= position))
    );
  }
}
