import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { atRest } from '../../support/auditor/at-rest.ts';
import { auditRun } from '../../support/auditor/audit-run.ts';
import { startLoad, type Load } from '../../support/load/load.ts';
import type { PlannedCall } from '../../support/load/client-call.ts';
import { testDatabase, type TestDatabase } from '../../support/postgres.ts';
import type { TestModel } from '../../support/server-process/operator.ts';
import { ServerNotReady, startServerProcess, type ServerProcess } from '../../support/server-process/server-process.ts';
import { startInstallation, type Installation } from '../../support/server-process/test-installation.ts';

const MODEL: TestModel = { model: 'shared', inputPerToken: 200, cachedPerToken: 50, outputPerToken: 700, maxOutputTokens: 4_096 };
const MASTER_KEY = Buffer.alloc(32, 1).toString('base64');
const PRICES = { input: 200n, cached: 50n, output: 700n };

const ordinary = (n: number): PlannedCall => {
  const usage = { prompt: 1 + (n % 200), output: 1 + (Math.floor(n / 200) % 100), cached: 0 };
  return {
    marker: `call-${n}`,
    model: MODEL.model,
    streamed: n % 3 === 0,
    maxTokens: 128,
    usage,
    ordinary: true,
    script: { latency: n % 20, prompt: usage.prompt, cached: usage.cached, tokens: usage.output, chunk: 8, interval: n % 3 },
    leavesAfter: null,
  };
};

const childrenOf = (pid: number): number[] =>
  execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .map(Number)
    .filter((child) => child > 0);

const linesOf = (server: ServerProcess, text: string): number => server.output().split(text).length - 1;

/** Goes on with the load until the server has said it so often. */
const until = async (load: Load, server: ServerProcess, text: string, times: number): Promise<void> => {
  while (linesOf(server, text) < times) await load.complete(5);
};

const metric = async (url: string, name: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
};

describe('one server of many processes', function () {
  this.timeout(240_000);
  let database: TestDatabase;
  let installation: Installation;
  let server: ServerProcess;
  let apiKeys: string[];

  before(async () => {
    database = await testDatabase();
    installation = await startInstallation({
      gateways: 1,
      models: [MODEL],
      databaseUrl: database.url,
      environment: {
        OBLIVIOUS_MASTER_KEY: MASTER_KEY,
        OBLIVIOUS_PROCESSES: '2',
        OBLIVIOUS_LINGER_SECONDS: '1',
        OBLIVIOUS_LEASE_SECONDS: '2',
        OBLIVIOUS_LEASE_GRACE_SECONDS: '1',
      },
    });
    server = installation.servers[0] as ServerProcess;
    const userId = await installation.operator.createUser(1_000_000_000_000n);
    apiKeys = [(await installation.operator.createKey(userId)).secret];
  });
  after(async () => {
    await installation.remove();
    await database.drop();
  });

  it('puts a new process in the place of each without a call that fails, starts again what dies, counts as one, and charges every call once', async () => {
    const first = childrenOf(server.pid);
    expect(first, 'two that answer callers and one in the background').to.have.length(3);

    const load = startLoad({ url: server.url, apiKeys, clients: 8, plan: ordinary });
    await load.complete(40);
    server.signal('SIGHUP');
    await until(load, server, 'a process was replaced', 3);
    await load.complete(40);
    const replaced = await load.stop();
    expect(
      replaced.filter(({ seen }) => seen !== 'complete').map(({ seen, status, error }) => ({ seen, status, error })),
      'calls that failed',
    ).to.deep.equal([]);
    const second = childrenOf(server.pid).filter((pid) => !first.includes(pid));
    expect(second).to.have.length(3);

    // Any process tells the counts of all of them, those of the processes that have gone not among them.
    const before = await metric(server.url, 'oblivious_calls_total');
    const more = startLoad({ url: server.url, apiKeys, clients: 8, plan: (n) => ordinary(100_000 + n) });
    await more.complete(30);
    const counted = await more.stop();
    expect(await metric(server.url, 'oblivious_calls_total')).to.equal(before + counted.length);

    const last = startLoad({ url: server.url, apiKeys, clients: 8, plan: (n) => ordinary(200_000 + n) });
    await last.complete(10);
    for (const pid of second) process.kill(pid, 'SIGKILL');
    await until(last, server, 'a process died and is started again', 3);
    await last.complete(40);
    const killed = await last.stop();

    const log = await installation.openLog();
    try {
      await atRest(log);
      await installation.stopServers();
      const clients = [...replaced, ...counted, ...killed];
      const { violations } = await auditRun({ log, clients, upstream: await installation.upstream.record(), prices: PRICES });
      expect(violations).to.deep.equal([]);
    } finally {
      await log.close();
    }
  });

  it('does not start when one of its processes does not, and says why once', async () => {
    const failure = await startServerProcess({
      home: `${server.home}-refused`,
      environment: { DATABASE_URL: database.url, OBLIVIOUS_PROCESSES: '2', OBLIVIOUS_MASTER_KEY: MASTER_KEY },
      port: Number(new URL(installation.upstream.baseUrl).port),
    }).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(ServerNotReady);
    expect((failure as Error).message).to.contain('The port is taken by another program');
  });
});
