import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { Client } from 'pg';
import { startPostgres, testDatabase } from './postgres.ts';
import type { PostgresServer } from './postgres-cluster.ts';

async function one<T>(url: string, sql: string): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return Object.values((await client.query(sql)).rows[0] as Record<string, T>)[0] as T;
  } finally {
    await client.end();
  }
}

describe('test databases', () => {
  it('are empty, apart from each other, and gone once dropped', async () => {
    const [a, b] = await Promise.all([testDatabase(), testDatabase()]);
    await one(a.url, 'CREATE TABLE t AS SELECT 1 AS x; SELECT 1').catch(() => undefined);
    expect(await one(a.url, "SELECT to_regclass('t') IS NOT NULL")).to.equal(true);
    expect(await one(b.url, "SELECT to_regclass('t') IS NOT NULL")).to.equal(false);
    await a.drop();
    await b.drop();
    const refused = await one(a.url, 'SELECT 1').catch((error: unknown) => error);
    expect(refused).to.have.property('code', '3D000');
  });

  it('are dropped from under a connection that is still open', async () => {
    const database = await testDatabase();
    const client = new Client({ connectionString: database.url });
    const cut = new Promise<Error>((resolve) => client.on('error', resolve));
    await client.connect();
    await database.drop();
    expect(await cut).to.be.instanceOf(Error);
  });
});

describe('a test database with pgvector', () => {
  it('orders by distance', async function () {
    // The extension may have to be fetched and compiled first.
    this.timeout(180_000);
    const database = await testDatabase({ extensions: ['vector'] });
    const nearest = await one(
      database.url,
      `WITH item(name, place) AS (VALUES ('far', '[9,9]'::vector), ('near', '[1,2]'::vector)) SELECT name FROM item ORDER BY place <-> '[1,1]' LIMIT 1`,
    );
    expect(nearest).to.equal('near');
    await database.drop();
  });
});

describe('a private server', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  it('syncs to disk', async () => {
    expect(await one(server.connectionString, 'SHOW fsync')).to.equal('on');
    expect(await one(server.connectionString, 'SHOW synchronous_commit')).to.equal('on');
  });

  it('keeps what was committed through SIGKILL, on the same port', async () => {
    const client = new Client({ connectionString: server.connectionString });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('CREATE TABLE kept AS SELECT 42 AS x');
    await server.kill();
    const refused = await one(server.connectionString, 'SELECT 1').catch((error: unknown) => error);
    expect(refused).to.have.property('code', 'ECONNREFUSED');
    await server.restart();
    expect(await one(server.connectionString, 'SELECT x FROM kept')).to.equal(42);
  });

  it('answers nothing while frozen and the same question once thawed', async () => {
    const client = new Client({ connectionString: server.connectionString });
    await client.connect();
    server.freeze();
    let answered = false;
    const answer = client.query<{ x: number }>('SELECT 7 AS x').then((result) => {
      answered = true;
      return result.rows[0]?.x;
    });
    // A server that still ran would answer within this time; a frozen one cannot, so the test never fails for being slow.
    await pause(200);
    expect(answered).to.equal(false);
    server.thaw();
    expect(await answer).to.equal(7);
    await client.end();
  });

  it('says why it did not start', async () => {
    const failure = await startPostgres({ settings: { shared_buffers: 'plenty' } }).catch((error: unknown) => error);
    expect(String(failure)).to.include('shared_buffers');
  });
});

describe('a private server whose test process is killed', () => {
  it('is stopped and removed by its watcher', async () => {
    const script = `
      const { startPostgres } = await import('./test/support/postgres.ts');
      const server = await startPostgres();
      process.stdout.write(server.dataDir + '\\n');
      setInterval(() => {}, 1000);
    `;
    const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const dataDir = line.toString().trim();
    expect(existsSync(dataDir)).to.equal(true);
    const pid = spawnSync('head', ['-1', `${dataDir}/postmaster.pid`], { encoding: 'utf8' }).stdout.trim();
    owner.kill('SIGKILL');
    while (existsSync(dataDir)) await pause(20);
    const state = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).stdout.trim();
    expect(state, 'gone, or a zombie where nobody reaps orphans').to.match(/^(Z.*)?$/);
  });
});
