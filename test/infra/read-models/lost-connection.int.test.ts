import { expect } from 'chai';
import pg from 'pg';
import { openReadModels, type ReadModels } from '../../../infra/read-models/read-models.ts';
import { ReadModelsUnavailable } from '../../../projections/engine/read-models-unavailable.ts';
import { startDelayingProxy, type DelayingProxy } from '../../support/delaying-proxy.ts';
import { testDatabase, type TestDatabase } from '../../support/postgres.ts';
import { eventually } from '../../support/working.ts';

describe('a connection that is lost while it is asked something', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let direct: pg.Client;
  let proxy: DelayingProxy;
  let models: ReadModels;
  before(async () => {
    database = await testDatabase();
    direct = new pg.Client({ connectionString: database.url });
    await direct.connect();
    const url = new URL(database.url);
    proxy = await startDelayingProxy({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    models = await openReadModels({ kind: 'postgres', connectionString: url.href });
  });
  after(async () => {
    await models.close();
    await direct.end();
    await database.drop();
  });

  it('fails what was asked, and nothing else: the process goes on', async () => {
    // Connections at rest, for those that are lost to be lent ones.
    await models.database.transaction((tx) => tx.query('SELECT 1'));
    proxy.delayMs = 600_000;
    const lead = models.database.lead(new AbortController().signal).then(
      () => null,
      (error: unknown) => error,
    );
    const asked = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock%'`;
    await eventually('it was asked for the right to project', async () => (await direct.query(asked)).rows.length === 1);
    await proxy.close();
    expect(await lead).to.be.instanceOf(ReadModelsUnavailable);
  });
});
