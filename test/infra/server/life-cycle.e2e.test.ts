import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import OpenAI from 'openai';
import { ServerNotReady, startServerProcess, type ServerProcess } from '../../support/server-process/server-process.ts';

interface FirstRun {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
}

const firstRunOf = (home: string): FirstRun => JSON.parse(readFileSync(join(home, 'first-run.json'), 'utf8')) as FirstRun;

const clientOf = (server: ServerProcess, firstRun: FirstRun): OpenAI =>
  new OpenAI({ baseURL: `${server.url}/v1`, apiKey: firstRun.apiKey, maxRetries: 0 });

const refusalOf = (home: string, environment: Record<string, string> = {}): Promise<ServerNotReady> =>
  startServerProcess({ home, environment }).then(
    async (server) => {
      await server.stop();
      throw new Error('it started');
    },
    (error: unknown) => {
      if (error instanceof ServerNotReady) return error;
      throw error;
    },
  );

describe('a server', () => {
  let folder: string;
  let home: string;
  let server: ServerProcess;
  let firstRun: FirstRun;

  before(async function () {
    this.timeout(60_000);
    folder = mkdtempSync(join(tmpdir(), 'oblivious-life-'));
    home = join(folder, 'home');
    server = await startServerProcess({ home, environment: { OBLIVIOUS_SHUTDOWN_SECONDS: '30' } });
    firstRun = firstRunOf(home);
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('leaves the first credentials to its owner alone, and prints them once', () => {
    expect(Object.keys(firstRun)).to.have.members(['baseUrl', 'apiKey', 'adminEmail', 'adminPassword']);
    expect(firstRun.baseUrl).to.equal(server.url);
    expect(server.output()).to.contain(firstRun.apiKey).and.to.contain(firstRun.adminPassword).and.to.contain(firstRun.adminEmail);
    for (const file of ['first-run.json', 'operator.json', 'master.key'])
      expect(statSync(join(home, file)).mode & 0o777, file).to.equal(0o600);
  });

  it('answers probes, and says what it counts', async () => {
    expect(await (await fetch(`${server.url}/healthz`)).json()).to.deep.equal({ status: 'ok' });
    expect(await (await fetch(`${server.url}/readyz`)).json()).to.deep.equal({ status: 'ready', reasons: [] });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    for (const name of ['oblivious_calls_total', 'oblivious_leases_open', 'oblivious_append_queue_depth', 'oblivious_durable_seconds'])
      expect(metrics).to.contain(name);
  });

  it('answers the official client as it stands, whether its base URL has the version or not', async () => {
    for (const baseURL of [`${server.url}/v1`, server.url]) {
      const client = new OpenAI({ baseURL, apiKey: firstRun.apiKey, maxRetries: 0 });
      const answer = await client.chat.completions.create({ model: 'sandbox-echo', messages: [{ role: 'user', content: 'Hello' }] });
      expect(answer.choices[0]?.message.content).to.equal('Hello');
    }
  });

  it('shows a call as a charge that it can explain', async () => {
    const client = clientOf(server, firstRun);
    const { response } = await client.chat.completions
      .create({ model: 'sandbox-echo', messages: [{ role: 'user', content: 'A charge' }] })
      .withResponse();
    const requestId = response.headers.get('x-request-id') ?? '';
    const { token } = JSON.parse(readFileSync(join(home, 'operator.json'), 'utf8')) as { token: string };
    const asOperator = { headers: { authorization: `Bearer ${token}` } };
    const { head } = (await (await fetch(`${server.url}/api/status`, asOperator)).json()) as { head: string };
    const explained = await fetch(`${server.url}/api/ledger/charges/${requestId}?after=${head}`, asOperator);
    expect(explained.status).to.equal(200);
    expect(JSON.stringify(await explained.json())).to.contain('sandbox-echo');
  });

  it('refuses a second server on its data, and says what to do', async () => {
    const refusal = await refusalOf(home);
    expect(refusal.ending.code).to.equal(1);
    expect(refusal.message).to.match(/Another Oblivious is running on .*OBLIVIOUS_HOME/);
  });

  it('refuses a port that is taken', async () => {
    const refusal = await startServerProcess({ home: join(folder, 'other'), port: server.port }).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).to.be.instanceOf(ServerNotReady);
    expect((refusal as Error).message).to.contain('Set PORT');
  });

  it('names every wrong setting in a line of its own and does not start', async () => {
    const refusal = await refusalOf(join(folder, 'wrong'), { DATABASE_URL: 'nonsense', OBLIVIOUS_LOG_LEVEL: 'loud' });
    expect(refusal.ending.code).to.equal(1);
    const lines = refusal.message
      .split('\n')
      .slice(1)
      .filter((line) => line !== '');
    expect(lines.map((line) => line.split(':')[0])).to.have.members(['DATABASE_URL', 'OBLIVIOUS_LOG_LEVEL']);
  });

  it('names the setting whose database cannot be reached, without its password', async () => {
    const refusal = await refusalOf(join(folder, 'no-database'), { DATABASE_URL: 'postgres://somebody:of-nobody@127.0.0.1:1/ledger' });
    expect(refusal.ending.code).to.equal(1);
    expect(refusal.message).to.contain('DATABASE_URL: 127.0.0.1:1/ledger cannot be used: connect ECONNREFUSED');
    expect(refusal.message).not.to.contain('of-nobody');
  });

  it('begins no new log in the place of one that was lost', async () => {
    const lost = join(folder, 'lost');
    mkdirSync(join(lost, 'read-models'), { recursive: true });
    writeFileSync(join(lost, 'events.sqlite'), '');
    const refusal = await refusalOf(lost);
    expect(refusal.ending.code).to.equal(1);
    expect(refusal.message).to.match(/events\.sqlite, the event log, is missing or empty.*Put the log back/);
    expect(statSync(join(lost, 'events.sqlite')).size).to.equal(0);
  });

  it('names the file that is damaged', async () => {
    const damaged = join(folder, 'damaged');
    mkdirSync(damaged);
    writeFileSync(join(damaged, 'events.sqlite'), Buffer.alloc(8_192, 'no database '));
    const refusal = await refusalOf(damaged);
    expect(refusal.ending.code).to.equal(1);
    expect(refusal.message).to.contain(`${join(damaged, 'events.sqlite')} cannot be used: file is not a database`);
  });

  it('lets 200 streams end when it is told to stop, charges them all, and finds its data when it starts again, under its own key only', async function () {
    this.timeout(120_000);
    const client = clientOf(server, firstRun);
    const streams = await Promise.all(
      Array.from({ length: 200 }, () =>
        client.chat.completions.create({
          model: 'sandbox-story',
          max_tokens: 120,
          stream: true,
          stream_options: { include_usage: true },
          messages: [{ role: 'user', content: 'Go on.' }],
        }),
      ),
    );
    const texts = streams.map(async (stream) => {
      let finish: string | null = null;
      let cost: unknown = null;
      for await (const chunk of stream) {
        finish = chunk.choices[0]?.finish_reason ?? finish;
        cost = (chunk.usage as { cost?: unknown } | null | undefined)?.cost ?? cost;
      }
      return { finish, cost };
    });
    const ending = server.stop();
    const ends = await Promise.all(texts);
    expect(ends.filter(({ finish, cost }) => finish === 'length' && typeof cost === 'string')).to.have.length(200);
    expect(await ending).to.deep.equal({ code: 0, signal: null });

    const masterKeyFile = join(home, 'master.key');
    const masterKey = readFileSync(masterKeyFile);
    writeFileSync(masterKeyFile, `${Buffer.alloc(32, 7).toString('base64')}\n`);
    const refusal = await refusalOf(home);
    expect(refusal.ending.code).to.equal(1);
    expect(refusal.message).to.match(/works under master key [0-9a-f]{16}, and .*master\.key holds [0-9a-f]{16}/);
    writeFileSync(masterKeyFile, masterKey);

    const port = server.port;
    server = await startServerProcess({ home, port });
    expect(server.output()).not.to.contain(firstRun.apiKey);
    const { token } = JSON.parse(readFileSync(join(home, 'operator.json'), 'utf8')) as { token: string };
    const asOperator = { headers: { authorization: `Bearer ${token}` } };
    const { head } = (await (await fetch(`${server.url}/api/status`, asOperator)).json()) as { head: string };
    const { rows } = (await (await fetch(`${server.url}/api/requests?model=sandbox-story&limit=200&after=${head}`, asOperator)).json()) as {
      rows: { state: string }[];
    };
    expect(rows).to.have.length(200);
    expect(new Set(rows.map(({ state }) => state))).to.deep.equal(new Set(['charged']));
    const balance = (await (await fetch(`${server.url}/api/ledger/trial-balance`, asOperator)).json()) as {
      difference: string;
      debits: string;
    };
    expect(balance.difference).to.equal('0');
    expect(BigInt(balance.debits) > 0n).to.equal(true);
  });
});
