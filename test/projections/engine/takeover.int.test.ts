import { expect } from 'chai';
import pg from 'pg';
import { openReadModels, type ReadModels } from '../../../infra/read-models/read-models.ts';
import { digestOf } from '../../../projections/engine/digest.ts';
import { LIVE_SCHEMA } from '../../../projections/engine/engine-schema.ts';
import type { Sql } from '../../../projections/ports/read-model-database.ts';
import { projections } from '../../../projections/registry.ts';
import { appendsOf, longHistory } from '../../support/histories.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { projectAll, startProjecting } from '../../support/projecting.ts';
import { startPostgres, testDatabase, type TestDatabase } from '../../support/postgres.ts';

const digests = async (sql: Sql): Promise<readonly string[]> => {
  const all: string[] = [];
  for (const projection of projections) all.push((await digestOf(sql, LIVE_SCHEMA, projection)).digest);
  return all;
};

const appends = appendsOf(longHistory(100, 21));

const expectedDigests = async (database: TestDatabase): Promise<readonly string[]> => {
  const models = await openReadModels({ kind: 'postgres', connectionString: database.url });
  const log = memoryLog();
  await log.append(appends);
  await projectAll({ feed: log, database: models.database });
  const expected = await digests(models.database);
  await models.close();
  return expected;
};

describe('several processes on one PostgreSQL', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let expected: readonly string[];
  before(async () => {
    const scratch = await testDatabase();
    expected = await expectedDigests(scratch);
    await scratch.drop();
    database = await testDatabase();
  });
  after(() => database.drop());

  it('project in exactly one of them, and in another as soon as that one is gone', async () => {
    const log = memoryLog();
    const open: ReadModels[] = [];
    for (let process = 0; process < 4; process++)
      open.push(await openReadModels({ kind: 'postgres', connectionString: database.url, max: 3 }));
    const all = open.map((models) => startProjecting({ feed: log, database: models.database }));
    const operator = new pg.Client({ connectionString: database.url });
    await operator.connect();
    try {
      const survivors = new Set(all);
      for (let round = 0; round < 3; round++) {
        const leader = await Promise.race(
          [...survivors].map(async (projecting) => {
            await projecting.reported('state', ({ state }) => state === 'live');
            return projecting;
          }),
        );
        await log.append(appends.slice(round * 30, round * 30 + 30));
        await Promise.all(all.map((projecting) => projecting.caughtUp()));
        expect([...survivors].filter((projecting) => projecting.state() === 'live')).to.deep.equal([leader]);
        expect([...survivors].filter((projecting) => projecting.state() === 'standby')).to.have.length(survivors.size - 1);
        survivors.delete(leader);
        await leader.stop();
      }
      const [last] = [...survivors];
      if (last === undefined) throw new Error('one is left');
      await last.reported('state', ({ state }) => state === 'live');
      // As when the connection of a process that is still alive breaks.
      await operator.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()`,
      );
      await log.append(appends.slice(90));
      await last.caughtUp();
      await last.reported('interrupted');
      expect(await digests(open[0]?.database as Sql)).to.deep.equal(expected);
    } finally {
      await operator.end();
      await Promise.all(all.map((projecting) => projecting.stop()));
      await Promise.all(open.map((models) => models.close()));
    }
  });

  it('wait while the server is away, and go on when it is back', async () => {
    const server = await startPostgres();
    const log = memoryLog();
    const models = await openReadModels({ kind: 'postgres', connectionString: server.connectionString });
    const projecting = startProjecting({ feed: log, database: models.database });
    try {
      await log.append(appends.slice(0, 40));
      await projecting.caughtUp();
      await server.kill();
      await log.append(appends.slice(40, 70));
      await projecting.reported('state', ({ state }) => state === 'waiting');
      expect(await projecting.board.waitFor('all', await log.head(), 50)).to.equal(false);
      await server.restart();
      await projecting.caughtUp();
      await log.append(appends.slice(70));
      await projecting.caughtUp();
      expect(await digests(models.database)).to.deep.equal(expected);
      expect(projecting.reports.filter(({ kind }) => kind === 'parked' || kind === 'reset')).to.deep.equal([]);
    } finally {
      await projecting.stop();
      await models.close();
      await server.stop();
    }
  });
});
