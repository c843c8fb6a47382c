import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import { START } from '../../schemas/event-envelope.ts';
import type { Instant } from '../../schemas/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { ReadModelDatabase, Sql } from '../ports/read-model-database.ts';
import { applyWhole, Batch, findPoison, PoisonEvent } from './batch.ts';
import { CheckpointMoved, readCheckpoints, type Checkpoint } from './checkpoint.ts';
import { digestOf, type Digest } from './digest.ts';
import { buildSchema, ENGINE_SCHEMA, LIVE_SCHEMA } from './engine-schema.ts';
import type { Target } from './gathered.ts';
import { liveFrontier } from './partition-offsets.ts';
import { dropBelow, KnownPartitions, partitionedTablesOf, partitionsOf } from './partitions.ts';
import { upTo, type Frontier } from './frontier.ts';
import type { PositionBoard } from './position-board.ts';
import { tablesOf, type Projection } from './projection.ts';
import { higherFloor } from './retention.ts';
import { ReadModelsUnavailable } from './read-models-unavailable.ts';

export interface RebuildProgress {
  /** Events applied so far. */
  readonly done: number;
  readonly position: Position;
  /** Where the live read model stands, which has to be reached. */
  readonly target: Position;
  /** 0 to 1, as far as positions tell. */
  readonly share: number;
  readonly eventsPerSecond: number;
}

export interface RebuildOptions {
  readonly feed: EventFeed;
  readonly database: ReadModelDatabase;
  readonly projection: Projection;
  readonly board: PositionBoard;
  readonly clock: Clock;
  /** Tells this builder from any other that works on the same read model. */
  readonly owner: string;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: RebuildProgress) => void;
  readonly batchSize?: number;
  /** Longest wait for the live read model to be as far as the shadow, in milliseconds. */
  readonly liveWaitMs?: number;
}

/** Both digests at one position. */
export interface Comparison {
  readonly position: Position;
  readonly equal: boolean;
  readonly live: Digest;
  readonly rebuilt: Digest;
  readonly events: number;
}

/** The live read model does not move, or not fast enough: nothing can be compared with it. */
export class LiveReadModelBehind extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LiveReadModelBehind';
  }
}

const PROGRESS_EVERY_MS = 200;

/** A rebuild beside the live read model that nobody but its own builder sees. */
class Shadow {
  readonly #options: RebuildOptions;
  readonly #schema: string;
  readonly #target: Target;
  #floor: Instant | null = null;
  #reached: Frontier = upTo(START);
  /** As its checkpoint has it, by which another builder's is told from ours. */
  #position: Position = START;
  #events = 0;
  #began = 0;
  #progressAt = 0;

  constructor(options: RebuildOptions) {
    this.#options = options;
    this.#schema = buildSchema(options.projection.name);
    this.#target = { projection: options.projection, partitions: new KnownPartitions(options.projection, 'shadow') };
  }

  get reached(): Frontier {
    return this.#reached;
  }

  /** Rows of partitioned tables are made from here on. */
  get floor(): Instant | null {
    return this.#floor;
  }

  get events(): number {
    return this.#events;
  }

  /** Takes the place of any builder before it, which finds its checkpoint gone. */
  async begin(): Promise<void> {
    const { database, projection, owner, clock } = this.#options;
    this.#began = clock.now();
    await database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('${this.#schema}'))`);
      await this.#drop(tx);
      await tx.query(`CREATE SCHEMA ${this.#schema}`);
      const { keptFrom } = await liveCheckpoint(tx, projection);
      await this.#enter(tx);
      for (const table of tablesOf(projection)) for (const statement of table.ddl) await tx.query(statement);
      await tx.query(
        `INSERT INTO ${ENGINE_SCHEMA}.checkpoint (projection, version, build, position, owner) VALUES ($1, $2, 'shadow', 0, $3)`,
        [projection.name, projection.version, owner],
      );
      await this.#raise(tx, keptFrom);
    });
  }

  /** Applies everything that the live read model shows when it is so far. Stops at an event that cannot be applied. */
  async fill(to: Frontier): Promise<void> {
    const { batchSize = 500, signal } = this.#options;
    if (to.most <= this.#reached.least) return;
    let events: RecordedEvent[] = [];
    for await (const event of this.#missing(to)) {
      signal?.throwIfAborted();
      events.push(event);
      if (events.length < batchSize) continue;
      await this.#apply(events, event.position, to.most);
      events = [];
    }
    signal?.throwIfAborted();
    await this.#apply(events, to.most, to.most);
    this.#reached = to;
  }

  async *#missing(to: Frontier): AsyncGenerator<RecordedEvent> {
    const { feed, projection } = this.#options;
    for await (const event of feed.readAll({ after: this.#reached.least, upTo: to.most, filter: { types: projection.types } }))
      if (to.covers(event) && !this.#reached.covers(event)) yield event;
  }

  digest(tx: Sql, floor: Instant | null): Promise<Digest> {
    return digestOf(tx, this.#schema, this.#options.projection, floor);
  }

  /** Applies the last few events and puts the shadow in the live read model's place, at the very position where that stands. */
  async switch(): Promise<void> {
    const { database, projection } = this.#options;
    const { name, version } = projection;
    await database.transaction(
      async (tx) => {
        // From here on the live projector waits; the order of locks, checkpoint before tables, is its own.
        await tx.query(`SELECT FROM ${ENGINE_SCHEMA}.checkpoint WHERE projection = $1 AND version = $2 AND build = 'live' FOR UPDATE`, [
          name,
          version,
        ]);
        const { keptFrom, ...checkpoint } = await liveCheckpoint(tx, projection);
        const live = await liveFrontier(tx, projection, { keptFrom, ...checkpoint });
        if (live.least < this.#reached.least || live.most < this.#reached.most) throw new CheckpointMoved([name]);
        const events: RecordedEvent[] = [];
        for await (const event of this.#missing(live)) events.push(event);
        await this.#move(tx, live.most, null);
        await this.#enter(tx);
        await applyWhole(tx, this.#target, await Batch.of(events), new Set());
        await this.#raise(tx, keptFrom);
        for (const table of tablesOf(projection)) {
          await tx.query(`DROP TABLE ${LIVE_SCHEMA}.${table.name}`);
          for (const partition of await partitionsOf(tx, table.name)) await tx.query(`ALTER TABLE ${partition} SET SCHEMA ${LIVE_SCHEMA}`);
          await tx.query(`ALTER TABLE ${this.#schema}.${table.name} SET SCHEMA ${LIVE_SCHEMA}`);
        }
        await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.parked_event WHERE projection = $1 AND version = $2`, [name, version]);
        await tx.query(
          `UPDATE ${ENGINE_SCHEMA}.checkpoint SET epoch = epoch + 1, floor = $3 WHERE projection = $1 AND version = $2 AND build = 'live'`,
          [name, version, this.#floor],
        );
        await this.#drop(tx);
        this.#events += events.length;
      },
      { patient: true },
    );
  }

  async end(): Promise<void> {
    const { database, projection, owner } = this.#options;
    await database.transaction(async (tx) => {
      const { rows } = await tx.query(
        `SELECT FROM ${ENGINE_SCHEMA}.checkpoint WHERE projection = $1 AND version = $2 AND build = 'shadow' AND owner = $3 FOR UPDATE`,
        [projection.name, projection.version, owner],
      );
      if (rows.length > 0) await this.#drop(tx);
    });
  }

  async #apply(events: readonly RecordedEvent[], position: Position, target: Position): Promise<void> {
    const { database } = this.#options;
    const batch = await Batch.of(events);
    try {
      await database.transaction(
        async (tx) => {
          await this.#move(tx, position, target);
          await this.#enter(tx);
          await applyWhole(tx, this.#target, batch, new Set());
        },
        { patient: true },
      );
    } catch (error) {
      if (error instanceof ReadModelsUnavailable || error instanceof CheckpointMoved || error instanceof PoisonEvent) throw error;
      throw (await this.#poisonIn(batch)) ?? error;
    }
    this.#position = position;
    this.#events += events.length;
    this.#tell(target);
  }

  async #poisonIn(batch: Batch): Promise<PoisonEvent | null> {
    const { database } = this.#options;
    let found: PoisonEvent | null = null;
    const undo = new Error('taken back');
    await database
      .transaction(async (tx) => {
        await this.#enter(tx);
        found = await findPoison(tx, this.#target, batch);
        throw undo;
      })
      .catch((error: unknown) => {
        if (error !== undo) throw error;
      });
    return found;
  }

  /** Compare-and-set of the shadow's checkpoint: a builder that was replaced finds out before it writes. */
  async #move(tx: Sql, position: Position, target: Position | null): Promise<void> {
    const { projection, owner } = this.#options;
    const { rowCount } = await tx.query(
      `UPDATE ${ENGINE_SCHEMA}.checkpoint SET position = $5, target = coalesce($6, target), updated_at = now()
       WHERE projection = $1 AND version = $2 AND build = 'shadow' AND owner = $3 AND position = $4`,
      [projection.name, projection.version, owner, this.#position, position, target],
    );
    if (rowCount !== 1) throw new CheckpointMoved([projection.name]);
  }

  /** Makes names without a schema mean the shadow's tables until the transaction ends. */
  async #enter(tx: Sql): Promise<void> {
    await tx.query(`SET LOCAL search_path TO ${this.#schema}`);
  }

  /** What is out of retention is not kept, and not counted when it is compared. Inside {@link #enter}. */
  async #raise(tx: Sql, floor: Instant | null): Promise<void> {
    const { projection } = this.#options;
    const raised = higherFloor(this.#floor, floor);
    if (raised === null || raised === this.#floor) return;
    await tx.query(`UPDATE ${ENGINE_SCHEMA}.checkpoint SET floor = $3 WHERE projection = $1 AND version = $2 AND build = 'shadow'`, [
      projection.name,
      projection.version,
      raised,
    ]);
    for (const table of partitionedTablesOf(projection)) await dropBelow(tx, table, raised);
    this.#floor = raised;
  }

  async #drop(tx: Sql): Promise<void> {
    const { name, version } = this.#options.projection;
    // Checkpoint before tables, as everywhere: two that lock them in different orders wait for each other for ever.
    await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.checkpoint WHERE projection = $1 AND version = $2 AND build = 'shadow'`, [name, version]);
    await tx.query(`DROP SCHEMA IF EXISTS ${this.#schema} CASCADE`);
  }

  #tell(target: Position): void {
    const { progress, clock } = this.#options;
    if (progress === undefined) return;
    const now = clock.now();
    if (now - this.#progressAt < PROGRESS_EVERY_MS && this.#position < target) return;
    this.#progressAt = now;
    const seconds = Math.max(now - this.#began, 1) / 1_000;
    const share = target === START ? 1 : Number((this.#position * 10_000n) / target) / 10_000;
    progress({ done: this.#events, position: this.#position, target, share, eventsPerSecond: Math.round(this.#events / seconds) });
  }
}

const liveCheckpoint = async (sql: Sql, { name, version }: Projection): Promise<Checkpoint> => {
  const found = (await readCheckpoints(sql)).find(
    (checkpoint) => checkpoint.build === 'live' && checkpoint.projection === name && checkpoint.version === version,
  );
  if (found === undefined) throw new Error(`${name} version ${version} has never been projected here; there is nothing to rebuild beside`);
  return found;
};

/**
 * Keeps the live tables and their partitions there until the transaction ends. The first statement of a snapshot: dropped
 * partitions vanish from older snapshots too, which would count the rows of a month that by their checkpoint has been kept.
 */
const holdLiveTables = async (tx: Sql, projection: Projection): Promise<void> => {
  const tables = tablesOf(projection).map(({ name }) => `${LIVE_SCHEMA}.${name}`);
  if (tables.length > 0) await tx.query(`LOCK TABLE ${tables.join(', ')} IN ACCESS SHARE MODE`);
};

/** Fills a shadow and compares it with the live read model, both at the position where that stands at one moment. */
const compareWith = async (shadow: Shadow, { database, projection, board, liveWaitMs = 60_000 }: RebuildOptions): Promise<Comparison> => {
  // Twice: the first pass takes long, and the live read model moves on meanwhile.
  for (let pass = 0; pass < 2; pass++) await shadow.fill(upTo((await liveCheckpoint(database, projection)).position));
  const { least } = shadow.reached;
  if (!(await board.waitFor(projection.name, least, liveWaitMs)))
    throw new LiveReadModelBehind(`the live ${projection.name} did not reach position ${least} within ${liveWaitMs} ms`);
  const { position, frontier, floor, live } = await database.transaction(
    async (tx) => {
      await holdLiveTables(tx, projection);
      const checkpoint = await liveCheckpoint(tx, projection);
      const higher = higherFloor(checkpoint.floor, shadow.floor);
      return {
        position: checkpoint.position,
        frontier: await liveFrontier(tx, projection, checkpoint),
        floor: higher,
        live: await digestOf(tx, LIVE_SCHEMA, projection, higher),
      };
    },
    { snapshot: true, patient: true },
  );
  await shadow.fill(frontier);
  const rebuilt = await database.transaction((tx) => shadow.digest(tx, floor), { snapshot: true, patient: true });
  return { position, equal: live.digest === rebuilt.digest, live, rebuilt, events: shadow.events };
};

const withShadow = async <Result>(options: RebuildOptions, work: (shadow: Shadow) => Promise<Result>): Promise<Result> => {
  const shadow = new Shadow(options);
  await shadow.begin();
  let result: Result;
  try {
    result = await work(shadow);
  } catch (error) {
    // The next builder drops what cannot be dropped now.
    await shadow.end().catch(() => undefined);
    throw error;
  }
  await shadow.end();
  return result;
};

/**
 * Whether the live read model is what its events make of it: rebuilds it beside and compares, and changes nothing. Throws
 * {@link PoisonEvent} at an event that cannot be applied, and the reason of `signal` when that aborts.
 */
export const compareProjection = (options: RebuildOptions): Promise<Comparison> =>
  withShadow(options, (shadow) => compareWith(shadow, options));

/**
 * Makes a read model anew from the whole log beside the live one, compares the two, and puts the new one in its place in
 * one transaction; queries go on all the while. Throws as {@link compareProjection} does, and then the live one is as it was.
 */
export const rebuildProjection = (options: RebuildOptions): Promise<Comparison> =>
  withShadow(options, async (shadow) => {
    const comparison = await compareWith(shadow, options);
    options.signal?.throwIfAborted();
    await shadow.switch();
    return comparison;
  });
