import { expect } from 'chai';
import type pg from 'pg';
import { readModelPool } from '../../../infra/read-models/pool.ts';
import { openReadModels, type ReadModels } from '../../../infra/read-models/read-models.ts';
import { replicaReads, type ReadingSide, type ReplicaReport } from '../../../infra/read-models/replica-reads.ts';
import { sqlOf } from '../../../infra/read-models/sql-database.ts';
import { projections } from '../../../projections/registry.ts';
import { countUsers } from '../../../projections/users/queries.ts';
import { appendsOf, longHistory } from '../../support/histories.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import type { PostgresServer } from '../../support/postgres-cluster.ts';
import { startPostgres } from '../../support/postgres.ts';
import { startProjecting, type Projecting } from '../../support/projecting.ts';

const APPENDS = appendsOf(longHistory(60, 3));
const LONGEST_LAG_MS = 2_000;

describe('reads from a replica', function () {
  this.timeout(60_000);
  let primary: PostgresServer;
  let standby: PostgresServer;
  let models: ReadModels;
  let there: pg.Pool;
  let log: MemoryLog;
  let projecting: Projecting;
  let reading: ReadingSide;
  let now = 0;
  const reports: ReplicaReport[] = [];

  before(async () => {
    primary = await startPostgres({ settings: { fsync: 'off' } });
    standby = await startPostgres({ settings: { fsync: 'off' }, standbyOf: primary });
    models = await openReadModels({ kind: 'postgres', connectionString: primary.connectionString });
    there = readModelPool({ connectionString: standby.connectionString }, { name: 'oblivious console', max: 2 });
    log = memoryLog();
    await log.append(APPENDS.slice(0, 30));
    projecting = startProjecting({ feed: log, database: models.database });
    await projecting.caughtUp();
    reading = replicaReads({
      primary: models.database,
      replica: sqlOf(there),
      board: projecting.board,
      projections,
      clock: { now: () => now },
      longestLagMs: LONGEST_LAG_MS,
      report: (report) => reports.push(report),
    });
  });
  after(async () => {
    await projecting.stop();
    await there.end();
    await models.close();
    await standby.stop();
    await primary.stop();
  });

  /** Time passes for whoever reads; what is known of the replica is old. */
  const later = (ms = 1_000): void => {
    now += ms;
  };
  const whoAnswers = async (): Promise<'primary' | 'replica'> => {
    const { rows } = await reading.sql.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    return rows[0]?.standby === true ? 'replica' : 'primary';
  };
  const replicaAnswers = async (): Promise<void> => {
    for (;;) {
      later(200);
      if ((await whoAnswers()) === 'replica') return;
    }
  };
  const onStandby = (text: string): Promise<unknown> => there.query(text);

  it('go there as soon as it has everything', async () => {
    await replicaAnswers();
    expect(await countUsers(reading.sql)).to.equal(await countUsers(models.database));
  });

  it('never show less than somebody has waited for', async () => {
    await replicaAnswers();
    await onStandby('SELECT pg_wal_replay_pause()');
    try {
      await log.append(APPENDS.slice(30, 40));
      expect(await whoAnswers()).to.equal('replica');
      expect(await reading.board.waitFor('all', await log.head(), 20_000)).to.equal(true);
      expect(await whoAnswers()).to.equal('primary');
    } finally {
      await onStandby('SELECT pg_wal_replay_resume()');
    }
    await replicaAnswers();
    const { rows } = await reading.sql.query<{ position: bigint }>('SELECT min(position) AS position FROM read_models_engine.checkpoint');
    expect(Number(rows[0]?.position)).to.be.at.least(Number(await log.head()));
  });

  it('go to the primary while it is too far behind, and come back', async () => {
    await replicaAnswers();
    await onStandby('SELECT pg_wal_replay_pause()');
    try {
      await log.append(APPENDS.slice(40, 50));
      await projecting.caughtUp();
      later();
      expect(await whoAnswers()).to.equal('replica');
      later(LONGEST_LAG_MS);
      expect(await whoAnswers()).to.equal('primary');
      expect(reports.at(-1)?.kind).to.equal('behind');
    } finally {
      await onStandby('SELECT pg_wal_replay_resume()');
    }
    await replicaAnswers();
    expect(reports.at(-1)?.kind).to.equal('back');
  });

  it('are not judged by what was known an hour ago', async () => {
    await replicaAnswers();
    await onStandby('SELECT pg_wal_replay_pause()');
    try {
      await log.append(APPENDS.slice(50));
      await projecting.caughtUp();
      later(3_600_000);
      expect(await whoAnswers()).to.equal('primary');
    } finally {
      await onStandby('SELECT pg_wal_replay_resume()');
    }
  });

  it('go to the primary while it is gone, and come back', async () => {
    await replicaAnswers();
    await standby.kill('SIGKILL');
    later();
    expect(await whoAnswers()).to.equal('primary');
    expect(reports.at(-1)?.kind).to.equal('away');
    await standby.restart();
    later(10_000);
    await replicaAnswers();
  });
});
