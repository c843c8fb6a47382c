import { expect } from 'chai';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import type { PoisonEvent } from '../../../projections/engine/batch.ts';
import { CheckpointMoved, ensureLiveTables, readCheckpoints } from '../../../projections/engine/checkpoint.ts';
import { digestOf } from '../../../projections/engine/digest.ts';
import { dropReadModels, ENGINE_HISTORY, LIVE_SCHEMA } from '../../../projections/engine/engine-schema.ts';
import { handOver, takeBack } from '../../../projections/engine/handing-over.ts';
import { migrate } from '../../../projections/engine/migrations.ts';
import { readParked } from '../../../projections/engine/parked-events.ts';
import { discardParked } from '../../../projections/engine/parking.ts';
import { readPartitionOffsets } from '../../../projections/engine/partition-offsets.ts';
import { handedOverMember, PartitionWork } from '../../../projections/engine/partition-work.ts';
import { partitionOf } from '../../../projections/engine/stream-partition.ts';
import type { RecordBatch } from '../../../projections/ports/records.ts';
import { projectionsBySource } from '../../../projections/registry.ts';
import { START, type Position, type RecordedEvent } from '../../../schemas/event-envelope.ts';
import { toEventRecord } from '../../../schemas/event-record.ts';
import { appendsOf, longHistory } from '../../support/histories.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { projectAll } from '../../support/projecting.ts';
import { emptyReadModels } from '../../support/read-models.ts';

const { kafka: followers } = projectionsBySource(true);
const PARTITIONS = 3;
const TOPIC = 'events';

describe('what comes from partitions', function () {
  this.timeout(60_000);
  let models: ReadModels;
  let log: MemoryLog;
  let poison: PoisonEvent[];
  let work: PartitionWork;
  before(async () => {
    models = await emptyReadModels();
  });
  after(() => models.close());

  const workOf = async (): Promise<PartitionWork> => {
    const checkpoints = await readCheckpoints(models.database);
    return new PartitionWork({
      transaction: models.database.transaction,
      members: followers.map((projection) =>
        handedOverMember(projection, checkpoints.find((found) => found.projection === projection.name)?.handedOver ?? ''),
      ),
      partitionCount: PARTITIONS,
      attempts: 1,
      retryMs: 1,
      parked: (found) => poison.push(found),
    });
  };
  beforeEach(async () => {
    poison = [];
    log = memoryLog();
    await log.append(appendsOf(longHistory(200, 9)));
    await models.database.transaction(async (tx) => {
      await dropReadModels(tx);
      await migrate(tx, ENGINE_HISTORY);
      await ensureLiveTables(tx, followers);
      const ranges = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition, earliest: 0n, end: 100_000n }));
      for (const projection of followers) expect(await handOver(tx, projection, { ranges, published: START })).to.equal(true);
    });
    work = await workOf();
  });

  /** The records of a partition; offsets are those of a topic without gaps. */
  const batchOf = (partition: number, from: number, to?: number, change: (event: RecordedEvent) => RecordedEvent = (event) => event) => {
    const all = log.events.filter(({ stream }) => partitionOf(stream, PARTITIONS) === partition);
    const records = all
      .slice(from, to)
      .map((event, index) => ({ ...toEventRecord(change(event)), offset: BigInt(from + index), writtenAt: 0 }));
    const batch: RecordBatch = {
      topic: TOPIC,
      partition,
      records: records.map((record) => ({ ...record, value: Buffer.from(record.value) })),
      next: BigInt(from + records.length),
    };
    return batch;
  };
  const all = async (partition: number): Promise<void> => work.apply(batchOf(partition, 0), 0n);
  const digests = (): Promise<readonly string[]> =>
    models.database.transaction(async (tx) => {
      const found: string[] = [];
      for (const projection of followers) found.push((await digestOf(tx, LIVE_SCHEMA, projection)).digest);
      return found;
    });
  const right = async (): Promise<readonly string[]> => {
    await models.database.transaction(dropReadModels);
    await projectAll({ feed: log, database: models.database, projections: followers });
    return digests();
  };
  const failureOf = (doing: Promise<unknown>): Promise<unknown> =>
    doing.then(
      () => null,
      (error: unknown) => error,
    );

  it('has its effect once, also when a member that was cut off brings it again, in whole or in part', async () => {
    await work.apply(batchOf(0, 0, 40), 0n);
    const zombie = await workOf();
    await work.apply(batchOf(0, 40), 40n);
    const after = await digests();
    await zombie.apply(batchOf(0, 0, 40), 0n);
    await zombie.apply(batchOf(0, 20, 60), 20n);
    expect(await digests()).to.deep.equal(after);
    for (const partition of [1, 2]) await all(partition);
    expect(await digests()).to.deep.equal(await right());
  });

  it('is refused when something before it was left out', async () => {
    await work.apply(batchOf(0, 0, 10), 0n);
    const before = await digests();
    expect(await failureOf(work.apply(batchOf(0, 20), 20n))).to.be.instanceOf(CheckpointMoved);
    expect(await digests()).to.deep.equal(before);
  });

  it('is refused once the projections were taken back, and again when they were handed over anew', async () => {
    await work.apply(batchOf(0, 0, 10), 0n);
    for (const projection of followers) await models.database.transaction((tx) => takeBack(tx, log, projection));
    expect(await failureOf(work.apply(batchOf(1, 0), 0n))).to.be.instanceOf(CheckpointMoved);
    const ranges = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition, earliest: 0n, end: 100_000n }));
    for (const projection of followers) await models.database.transaction((tx) => handOver(tx, projection, { ranges, published: START }));
    expect(await failureOf(work.apply(batchOf(1, 0), 0n))).to.be.instanceOf(CheckpointMoved);
    work = await workOf();
    for (const partition of [0, 1, 2]) await all(partition);
    expect(await digests()).to.deep.equal(await right());
  });

  it('is not handed over before the log has brought it as far as Kafka is', async () => {
    for (const projection of followers) await models.database.transaction((tx) => takeBack(tx, log, projection));
    const ranges = [{ topic: TOPIC, partition: 0, earliest: 5n, end: 9n }];
    const published = (((await readCheckpoints(models.database))[0]?.position ?? 0n) + 1n) as Position;
    for (const projection of followers)
      expect(await models.database.transaction((tx) => handOver(tx, projection, { ranges, published }))).to.equal(false);
  });

  it('is shown up to the partition that is furthest behind, and one without events follows what was published', async () => {
    const position = async (): Promise<Position | undefined> => (await readCheckpoints(models.database))[0]?.position;
    await all(0);
    await all(1);
    expect(await position()).to.equal(START);
    await work.reached([{ partition: 2, next: 7n, shown: START }], 50n as Position);
    expect(await position()).to.equal(50n);
    const offsets = await readPartitionOffsets(models.database, followers[0] ?? { name: '', version: 0 });
    expect(offsets[2]).to.include({ next: 7n, position: 50n });
    await work.reached([{ partition: 2, next: 3n, shown: START }], 40n as Position);
    expect(await position()).to.equal(50n);
    // Something that is wanted of it has not come yet.
    await work.reached([{ partition: 2, next: 0n, shown: 60n as Position }], 70n as Position);
    expect(await position()).to.equal(50n);
  });

  it('is parked when it cannot be applied, with what follows in its stream, until somebody looks after it', async () => {
    const first = log.events.find(({ type, stream }) => type === 'QuotaDebited' && partitionOf(stream, PARTITIONS) === 0);
    if (first === undefined) throw new Error('the history has charges in every partition');
    const broken = (event: RecordedEvent): RecordedEvent =>
      event.position === first.position ? { ...event, data: { ...event.data, amount: 'much' } } : event;
    await work.apply(batchOf(0, 0, undefined, broken), 0n);
    expect(new Set(poison.map(({ event }) => event.position))).to.deep.equal(new Set([first.position]));
    const parked = await readParked(models.database);
    expect(new Set(parked.map(({ stream }) => stream))).to.deep.equal(new Set([first.stream]));
    for (const { id, stream, projection: name } of parked.filter(({ waiting }) => !waiting)) {
      const projection = followers.find((known) => known.name === name);
      if (projection !== undefined) await discardParked(models.database.transaction, projection, { id, stream });
    }
    expect(await readParked(models.database)).to.deep.equal([]);
    for (const partition of [1, 2]) await all(partition);
    expect(await failureOf(work.apply(batchOf(0, 0), 0n))).to.equal(null);
  });
});
