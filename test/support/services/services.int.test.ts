import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { eventStoreService } from './eventstore-service.ts';
import { postgresService, postgresUrl, removePostgresData } from './postgres-service.ts';
import { identityOf } from './process-identity.ts';
import { redisService } from './redis-service.ts';
import type { Service } from './service.ts';
import { servicesDown, servicesUp } from './services.ts';

const ANY_PORT = { SERVICES_POSTGRES_PORT: '0', SERVICES_REDIS_PORT: '0', SERVICES_EVENTSTORE_PORT: '0' };
const ALL: readonly Service[] = [postgresService, redisService, eventStoreService];

/** A server of nothing but an open port. */
const LISTENER: Service = {
  name: 'listener',
  title: 'listener',
  ports: [{ variable: 'LISTENER_PORT', usual: 0 }],
  stopSignal: 'SIGTERM',
  prepare: ({ ports }) => ({ file: process.execPath, args: ['-e', `require('node:net').createServer().listen(${String(ports[0])})`] }),
  check: async ({ ports }) => {
    const socket = connect(ports[0] as number, '127.0.0.1');
    await once(socket, 'connect').finally(() => socket.destroy());
  },
};

const isListed = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('services that stay', function () {
  this.timeout(120_000);
  let home: string;
  const pidFile = (service: Service): string => join(home, service.name, 'process.json');

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'oblivious-services-'));
  });
  afterEach(async () => {
    await servicesDown(home, [...ALL, LISTENER]);
    removePostgresData(join(home, postgresService.name));
    rmSync(home, { recursive: true, force: true });
  });

  const ask = async (url: string, question: string): Promise<unknown> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ answer: unknown }>(question).finally(() => client.end());
    return rows[0]?.answer;
  };

  it('come up once, survive being asked for again, keep their data when taken down, and are taken down twice without complaint', async () => {
    const first = await servicesUp(home, ALL, ANY_PORT);
    expect(first.map(({ already }) => already)).to.deep.equal([false, false, false]);
    const url = postgresUrl((first[0] as (typeof first)[number]).place);
    expect(await ask(url, `SELECT extname AS answer FROM pg_extension WHERE extname = 'vector'`)).to.equal('vector');
    await ask(url, 'CREATE TABLE kept AS SELECT 42 AS x');

    const again = await servicesUp(home, ALL, ANY_PORT);
    expect(again.map(({ already }) => already)).to.deep.equal([true, true, true]);
    expect(again.map(({ pid }) => pid)).to.deep.equal(first.map(({ pid }) => pid));

    // One that was killed is started again; the others are left as they are.
    const postmaster = (first[0] as (typeof first)[number]).pid;
    process.kill(postmaster, 'SIGKILL');
    // To PostgreSQL, one that was not collected yet is another postmaster.
    while (isListed(postmaster)) await pause(10);
    const third = await servicesUp(home, ALL, ANY_PORT);
    expect(third.map(({ already }) => already)).to.deep.equal([false, true, true]);
    expect(await ask(postgresUrl((third[0] as (typeof third)[number]).place), 'SELECT x AS answer FROM kept')).to.equal(42);

    expect(await servicesDown(home, ALL)).to.deep.equal(ALL);
    for (const { pid } of third) expect(identityOf(pid)).to.equal(undefined);
    expect(await servicesDown(home, ALL)).to.deep.equal([]);
  });

  it('never end a program that has got the pid of one of them', async () => {
    const bystander = spawn('sleep', ['600']);
    try {
      await once(bystander, 'spawn');
      mkdirSync(join(home, LISTENER.name));
      writeFileSync(pidFile(LISTENER), JSON.stringify({ pid: bystander.pid, identity: 'of a time gone by', ports: [1] }));
      expect(await servicesDown(home, [LISTENER])).to.deep.equal([]);
      expect(identityOf(bystander.pid as number)).not.to.equal(undefined);

      writeFileSync(pidFile(LISTENER), JSON.stringify({ pid: bystander.pid, identity: 'of a time gone by', ports: [1] }));
      const [running] = await servicesUp(home, [LISTENER], {});
      expect(running?.already).to.equal(false);
      expect(identityOf(bystander.pid as number)).not.to.equal(undefined);
    } finally {
      bystander.kill('SIGKILL');
    }
  });

  it('say which variable gives another port when theirs is taken, and what a process that failed had to say', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const taken = await servicesUp(home, [LISTENER], { LISTENER_PORT: String(port) }).catch((error: unknown) => error);
    other.close();
    expect(String(taken)).to.include(`Port ${port}`).and.to.include('LISTENER_PORT');

    const broken: Service = {
      ...LISTENER,
      prepare: () => ({ file: process.execPath, args: ['-e', 'console.error("no more ink"); process.exit(3)'] }),
    };
    const failed = await servicesUp(home, [broken], {}).catch((error: unknown) => error);
    expect(String(failed)).to.include('its process ended').and.to.include('no more ink');
    expect(await servicesDown(home, [LISTENER])).to.deep.equal([]);
  });

  it('stop one that was frozen', async () => {
    const [running] = await servicesUp(home, [LISTENER], {});
    process.kill(running?.pid as number, 'SIGSTOP');
    expect(await servicesDown(home, [LISTENER])).to.deep.equal([LISTENER]);
    expect(identityOf(running?.pid as number)).to.equal(undefined);
  });
});
