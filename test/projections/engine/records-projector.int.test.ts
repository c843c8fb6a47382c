import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { migrateEventLog } from '../../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { openKafka } from '../../../infra/kafka/open-kafka.ts';
import { openReadModels, type ReadModels } from '../../../infra/read-models/read-models.ts';
import { readCheckpoints } from '../../../projections/engine/checkpoint.ts';
import { digestOf } from '../../../projections/engine/digest.ts';
import { LIVE_SCHEMA } from '../../../projections/engine/engine-schema.ts';
import { readPartitionOffsets } from '../../../projections/engine/partition-offsets.ts';
import { compareProjection, rebuildProjection } from '../../../projections/engine/rebuild.ts';
import type { Records } from '../../../projections/ports/records.ts';
import { projectionsBySource } from '../../../projections/registry.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import { appendsOf, longHistory } from '../../support/histories.ts';
import { startKafka, type KafkaCluster } from '../../support/kafka/kafka-cluster.ts';
import { silentLog } from '../../support/kafka/silent-log.ts';
import { testDatabase, type TestDatabase } from '../../support/postgres.ts';
import { projectAll, startProjecting, wallClock } from '../../support/projecting.ts';
import { recordsOn, startFollowing, topicsOf, type Following } from '../../support/records-projecting/following.ts';
import { HandOn } from '../../support/records-projecting/hand-on.ts';

const APPENDS = appendsOf(longHistory(900, 21));
const PARTITIONS = 4;
const LONG_MS = 60_000;
const { kafka: followers } = projectionsBySource(true);
const MAIN = fileURLToPath(new URL('../../support/records-projecting/main.ts', import.meta.url));

describe('projectors that follow Kafka', function () {
  this.timeout(120_000);
  let kafka: KafkaCluster;
  let records: Records;
  let count = 0;

  let prefix: string;
  let database: TestDatabase;
  let fresh: TestDatabase;
  let log: EventLog;
  let models: ReadModels;
  let bridge: HandOn;
  let appended = 0;
  const running: { stop(): Promise<void> }[] = [];
  const children: ChildProcess[] = [];

  before(async () => {
    kafka = await startKafka();
    records = recordsOn(kafka.addresses);
  });
  after(async () => {
    await records.close();
    await kafka.stop();
  });
  beforeEach(async () => {
    prefix = `t${++count}.`;
    database = await testDatabase();
    fresh = await testDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await migrateEventLog(client);
    await client.end();
    log = await openPostgresLog({ connectionString: database.url, pollMs: 100 });
    models = await openReadModels({ kind: 'postgres', connectionString: database.url });
    const topics = [
      { topic: topicsOf(prefix).events, partitions: PARTITIONS },
      { topic: topicsOf(prefix).position, partitions: 1 },
    ];
    // On a busy machine the broker takes longer to find leaders for new topics than the client waits for them.
    for (let tries = 1; ; tries++) {
      const failure = await records.ensureTopics(topics).then(
        () => null,
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      );
      if (failure === null) break;
      if (tries === 5) throw failure;
    }
    bridge = new HandOn(records, log, prefix);
    appended = 0;
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(running.splice(0).map((each) => each.stop()));
    await bridge.close();
    await models.close();
    await log.close();
    await Promise.all([database.drop(), fresh.drop()]);
  });

  const append = async (more: number): Promise<Position> => {
    await log.append(APPENDS.slice(appended, (appended += more)));
    return log.head();
  };
  const follow = async (name: string): Promise<Following> => {
    const following = await startFollowing({ brokers: kafka.addresses, prefix, databaseUrl: database.url, feed: log, name });
    running.push(following);
    return following;
  };
  const stop = async (following: Following): Promise<void> => {
    running.splice(running.indexOf(following), 1);
    await following.stop();
  };
  const shown = async ({ board, reports }: Following, position: Position): Promise<void> => {
    if (await board.waitFor('all', position, LONG_MS)) return;
    throw new Error(
      `position ${position} was not reached: ${reports.map((report) => (report.kind === 'interrupted' ? report.error.message : report.kind)).join(', ')}`,
    );
  };
  const isHandedOver = async (): Promise<boolean> => {
    // There is no table of checkpoints until somebody has projected.
    const live = (await readCheckpoints(models.database).catch(() => [])).filter(({ build }) => build === 'live');
    return followers.every(({ name }) => live.some(({ projection, handedOver }) => projection === name && handedOver !== null));
  };
  const handedOver = async (): Promise<void> => {
    for (let look = 0; !(await isHandedOver()); look++) {
      if (look > 600) throw new Error('nothing was handed over');
      await pause(50);
    }
  };
  const digests = (of: ReadModels): Promise<Record<string, string>> =>
    of.database.transaction(async (tx) => {
      const all: Record<string, string> = {};
      for (const projection of followers) all[projection.name] = (await digestOf(tx, LIVE_SCHEMA, projection)).digest;
      return all;
    });
  /** What the log alone makes of it all. */
  const expectRight = async (): Promise<void> => {
    const other = await openReadModels({ kind: 'postgres', connectionString: fresh.url });
    try {
      await projectAll({ feed: log, database: other.database, projections: followers });
      expect(await digests(models)).to.deep.equal(await digests(other));
    } finally {
      await other.close();
    }
  };
  const eventsOf = async (from: number): Promise<readonly Parameters<HandOn['publish']>[0][number][]> =>
    (await bridge.events(0n as Position, await log.head())).slice(from);

  it('begin with the log, are handed over, and pass duplicates and old events by', async () => {
    await append(100);
    const one = await follow('one');
    await shown(one, await bridge.all());
    await handedOver();
    await append(200);
    const position = await bridge.all(7);
    // Once more, in its order; then something old; then nothing for three of the partitions.
    await bridge.publish((await eventsOf(0)).slice(-120), position);
    await bridge.publish((await eventsOf(0)).slice(0, 30), position);
    await shown(one, position);
    await append(3);
    await shown(one, await bridge.all());
    await expectRight();
    expect(one.reports.filter(({ kind }) => kind === 'parked' || kind === 'taken_back')).to.deep.equal([]);
  });

  it('share the partitions, take over those of one that is killed, and are rebuilt meanwhile', async () => {
    await append(60);
    const one = await follow('one');
    await bridge.all();
    await handedOver();
    const other = spawn(process.execPath, ['--import', 'tsx', MAIN, kafka.addresses, prefix, database.url, 'other'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(other);
    await once(other.stdout, 'data');
    for (let turn = 0; turn < 8; turn++) {
      await append(20);
      await bridge.all(5);
      if (turn === 4) other.kill('SIGKILL');
    }
    const projection = followers[0];
    if (projection === undefined) throw new Error('something follows Kafka');
    const rebuilding = rebuildProjection({
      feed: log,
      database: models.database,
      projection,
      board: one.board,
      clock: wallClock,
      owner: 'test',
      batchSize: 40,
    });
    await append(60);
    const position = await bridge.all(3);
    expect((await rebuilding).equal).to.equal(true);
    await shown(one, position);
    for (const each of followers) {
      const { equal } = await compareProjection({
        feed: log,
        database: models.database,
        projection: each,
        board: one.board,
        clock: wallClock,
        owner: 'test',
      });
      expect(equal, each.name).to.equal(true);
    }
    await expectRight();
  });

  it('are taken back to the log and handed over again, and nothing is lost or counted twice', async () => {
    await append(80);
    const one = await follow('one');
    await bridge.all();
    await handedOver();
    await append(80);
    // Some partitions have their share of it and others do not.
    const half = await eventsOf(0);
    await bridge.publish(half.slice(0, half.length - 20), half.at(-21)?.position ?? (0n as Position));
    await shown(one, half.at(-21)?.position ?? (0n as Position));
    await stop(one);

    const offsets = await readPartitionOffsets(models.database, followers[0] ?? { name: '', version: 0 });
    expect(new Set(offsets.map(({ position }) => position)).size).to.be.at.least(1);
    const onLog = startProjecting({ feed: log, database: models.database });
    try {
      await append(40);
      await onLog.caughtUp();
      expect(await isHandedOver()).to.equal(false);
      expect(onLog.reports.map(({ kind }) => kind))
        .to.include('taken_back')
        .and.not.include('reset');
      await expectRight();
    } finally {
      await onLog.stop();
    }
    const two = await follow('two');
    await bridge.all();
    await handedOver();
    await append(60);
    await shown(two, await bridge.all());
    await expectRight();
  });

  it('take from the log what Kafka has lost', async () => {
    await append(80);
    const one = await follow('one');
    await bridge.all();
    await handedOver();
    await append(20);
    await shown(one, await bridge.all());
    await stop(one);
    await append(60);
    await bridge.all();
    const admin = openKafka({ KAFKA_BROKERS: kafka.addresses, KAFKA_SSL: false }, silentLog).admin();
    await admin.connect();
    const { events } = topicsOf(prefix);
    const ends = await admin.fetchTopicOffsets(events);
    await admin.deleteTopicRecords({ topic: events, partitions: ends.map(({ partition, high }) => ({ partition, offset: high })) });
    await admin.disconnect();
    const two = await follow('two');
    await shown(two, await log.head());
    expect(two.reports.map(({ kind }) => kind)).to.include('taken_back');
    await handedOver();
    await append(20);
    await shown(two, await bridge.all());
    await expectRight();
  });

  it('wait while Kafka is away, and go on when it is back', async () => {
    await append(80);
    const one = await follow('one');
    await bridge.all();
    await handedOver();
    await kafka.brokers[0]?.kill();
    const position = await append(40);
    expect(await one.board.waitFor('all', position, 300)).to.equal(false);
    await kafka.brokers[0]?.restart();
    await bridge.all();
    await shown(one, position);
    await expectRight();
  });

  it('write nothing for somebody who has taken the projections back', async () => {
    await append(60);
    const one = await follow('one');
    await bridge.all();
    await handedOver();
    // A process that knows nothing of Kafka takes over while this one still reads.
    const onLog = startProjecting({ feed: log, database: models.database });
    await append(60);
    await bridge.all(4);
    await onLog.caughtUp();
    await onLog.stop();
    await append(30);
    await shown(one, await bridge.all(4));
    await expectRight();
  });
});
