import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import pg from 'pg';
import { migrateEventLog } from '../../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { openReadModels, type ReadModels } from '../../../infra/read-models/read-models.ts';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { digestOf } from '../../../projections/engine/digest.ts';
import { LIVE_SCHEMA } from '../../../projections/engine/engine-schema.ts';
import { readParked } from '../../../projections/engine/parked-events.ts';
import { projections } from '../../../projections/registry.ts';
import { testDatabase, type TestDatabase } from '../../support/postgres.ts';
import { projectAll } from '../../support/projecting.ts';

const DUMP = new URL('../../fixtures/postgres/0.1.0.sql', import.meta.url);

const withClient = async <Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

const load = async (url: string): Promise<void> => {
  const sql = await readFile(DUMP, 'utf8');
  await withClient(url, (client) => client.query(sql));
};

const open = async (url: string): Promise<{ readonly log: EventLog; readonly models: ReadModels; close(): Promise<void> }> => {
  await withClient(url, migrateEventLog);
  const log = await openPostgresLog({ connectionString: url });
  const models = await openReadModels({ kind: 'postgres', connectionString: url });
  return {
    log,
    models,
    close: async () => {
      await models.close();
      await log.close();
    },
  };
};

const rowsIn = ({ database }: ReadModels): Promise<Record<string, string>> =>
  database.transaction(async (tx) => {
    const digests: Record<string, string> = {};
    for (const projection of projections) digests[projection.name] = (await digestOf(tx, LIVE_SCHEMA, projection)).digest;
    return digests;
  });

const failureOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'none', String);

describe('a database of the version before', function () {
  this.timeout(60_000);
  let upgraded: TestDatabase;
  let empty: TestDatabase;
  before(async () => {
    upgraded = await testDatabase();
    empty = await testDatabase();
    await load(upgraded.url);
  });
  after(async () => {
    await upgraded.drop();
    await empty.drop();
  });

  it('is brought up to date, keeps its events, and shows what an empty one shows after the same events', async () => {
    const old = await open(upgraded.url);
    const fresh = await open(empty.url);
    try {
      const { rows } = await old.models.pool.query<{ events: string; readable: string }>(
        'SELECT count(*)::text AS events, (SELECT count(*)::text FROM event_log.readable) AS readable FROM event_log.events',
      );
      expect(rows).to.deep.equal([{ events: '211', readable: '211' }]);
      await projectAll({ feed: old.log, database: old.models.database });
      await projectAll({ feed: old.log, database: fresh.models.database });
      expect(await rowsIn(old.models)).to.deep.equal(await rowsIn(fresh.models));
      expect(await readParked(old.models.database)).to.deep.equal([]);
      // Versions that this program replaced go at the start after that.
      await projectAll({ feed: old.log, database: old.models.database });
      const tables = await old.models.pool.query<{ name: string }>(
        `SELECT tablename AS name FROM pg_tables WHERE schemaname = '${LIVE_SCHEMA}' AND tablename ~ '^rm_(journal|usage_hourly)_v2'`,
      );
      expect(tables.rows).to.deep.equal([]);
    } finally {
      await old.close();
      await fresh.close();
    }
  });

  it('takes new events afterwards', async () => {
    const { log, close } = await open(upgraded.url);
    try {
      const head = await log.head();
      let last = null;
      for await (const event of log.readAll({ after: (head - 1n) as typeof head })) last = event;
      if (last === null) throw new Error('there are events');
      const [outcome] = await log.append([
        {
          stream: 'user-usr_later' as never,
          expectedRevision: 'no_stream',
          events: [{ eventId: crypto.randomUUID() as never, type: last.type, schemaVersion: 1, data: last.data, metadata: last.metadata }],
        },
      ]);
      expect(outcome).to.include({ outcome: 'appended', revision: 0, position: head + 1n });
    } finally {
      await close();
    }
  });
});

describe('a database of a later version', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await load(database.url);
    const { close } = await open(database.url);
    await close();
  });
  after(() => database.drop());

  it('is refused, and both sides are named', async () => {
    await withClient(database.url, (client) => client.query('INSERT INTO read_models_engine.migration (version) VALUES (99)'));
    expect(await failureOf(openReadModels({ kind: 'postgres', connectionString: database.url }))).to.match(
      /The read models in this database have schema version 99; this program knows \d+\. Run the version that made it, or a later one/,
    );
    await withClient(database.url, (client) => client.query('INSERT INTO event_log.migrations (version) VALUES (98)'));
    expect(await failureOf(withClient(database.url, migrateEventLog))).to.match(/The events in this database have schema version 98/);
  });
});
