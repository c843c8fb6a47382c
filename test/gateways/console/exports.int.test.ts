import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { exportsWorker } from '../../../commands/exports/exports-worker.ts';
import { exportSource } from '../../../gateways/exports/export-source.ts';
import { runUserCommand } from '../../../commands/users/run-user-command.ts';
import { consoleBench, type ConsoleBench, type ConsoleClient } from '../../support/console-bench.ts';
import { wallClock } from '../../support/projecting.ts';
import { done } from '../../support/refused.ts';
import { eventually, startWorking, type Working } from '../../support/working.ts';

describe('the console’s exports', function () {
  this.timeout(120_000);
  let bench: ConsoleBench;
  let working: Working | null = null;
  before(async () => {
    bench = await consoleBench();
  });
  afterEach(async () => {
    await working?.stop();
    working = null;
  });
  after(() => bench.close());

  const work = (): void => {
    const { log, appender, database, exportStore: store } = bench;
    const source = exportSource({ sql: database, board: bench.projecting.board });
    working = startWorking({
      log,
      database,
      workers: [{ ...exportsWorker({ log, appender, source, store, clock: wallClock, keepMs: 1_000_000 }), from: 'start' }],
    });
  };
  const stateOf = async (client: ConsoleClient, exportId: string): Promise<string> =>
    (await client.get(`/api/exports/${exportId}`)).body.state;

  it('are asked for, made, and fetched by whoever asked, and by nobody else', async () => {
    const [ann, admin] = [await bench.person('ann@example.com'), await bench.admin()];
    const asked = await ann.post('/api/exports', { of: 'journal', format: 'csv', view: 'entries', from: '2026-01-01T00:00:00Z' });
    expect(asked.status).to.equal(202);
    const { exportId, position } = asked.body;
    const list = (await ann.get(`/api/exports?after=${position}`)).body.rows;
    expect(list).to.have.length(1);
    expect(list[0]).to.deep.include({
      exportId,
      state: 'requested',
      rows: { of: 'journal', owner: ann.userId, view: 'entries', from: '2026-01-01T00:00:00.000Z' },
      file: null,
      done: null,
    });
    expect((await ann.get(`/api/exports/${exportId}/file`)).status).to.equal(409);
    work();
    await eventually('it is made', async () => (await stateOf(ann, exportId)) === 'completed');
    const { file } = (await ann.get(`/api/exports/${exportId}`)).body;
    const response = await ann.open('GET', `/api/exports/${exportId}/file`);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const packed = Buffer.concat(chunks);
    expect(response.headers).to.deep.include({
      'content-type': 'application/gzip',
      'content-disposition': `attachment; filename="${exportId}.csv.gz"`,
      'content-length': String(file.bytes),
    });
    expect(createHash('sha256').update(packed).digest('hex')).to.equal(file.sha256);
    expect(gunzipSync(packed).toString('utf8')).to.include('entry,recorded_at,kind');

    for (const other of [admin, bench.operator(), await bench.person('bob@example.com')]) {
      expect((await other.get(`/api/exports/${exportId}`)).status).to.equal(404);
      expect((await other.get(`/api/exports/${exportId}/file`)).status).to.equal(404);
      expect((await other.post(`/api/exports/${exportId}/cancel`)).status).to.equal(404);
      expect((await other.get('/api/exports')).body.rows).to.deep.equal([]);
    }
    expect((await ann.post(`/api/exports/${exportId}/cancel`)).status).to.equal(409);

    await bench.exportStore.remove(`${exportId}.csv.gz`);
    const gone = await ann.get(`/api/exports/${exportId}/file`);
    expect(gone.status).to.equal(409);
    expect(gone.body.error.message).to.include('OBLIVIOUS_EXPORT_DIRECTORY');
  });

  it('of others are for administrators, and what upstreams charge as well', async () => {
    const [cat, admin] = [await bench.person('cat@example.com'), await bench.admin()];
    expect((await cat.post('/api/exports', { of: 'requests', format: 'jsonl', scope: 'all' })).status).to.equal(403);
    expect((await cat.post('/api/exports', { of: 'requests', format: 'jsonl', userId: 'usr_other' })).status).to.equal(403);
    expect((await cat.post('/api/exports', { of: 'requests', format: 'xml' })).status).to.equal(400);
    const all = await admin.post('/api/exports', { of: 'requests', format: 'jsonl', scope: 'all', model: 'large' });
    const own = await cat.post('/api/exports', { of: 'requests', format: 'jsonl' });
    expect([all.status, own.status]).to.deep.equal([202, 202]);
    const [first, second] = bench.eventsOf('export').slice(-2);
    expect(first?.data).to.deep.include({ withCosts: true, rows: { of: 'requests', owner: 'everybody', model: 'large' } });
    expect(second?.data).to.deep.include({ withCosts: false, rows: { of: 'requests', owner: cat.userId } });
  });

  it('of others are no longer fetched by whoever is no administrator any more', async () => {
    const person = await bench.person('once-admin@example.com', 'admin');
    const asked = [
      await person.post('/api/exports', { of: 'requests', format: 'jsonl', scope: 'all' }),
      await person.post('/api/exports', { of: 'journal', format: 'csv', userId: bench.firstRun.administratorId }),
      await person.post('/api/exports', { of: 'journal', format: 'csv' }),
    ];
    work();
    const statuses = async (): Promise<number[]> =>
      Promise.all(asked.map(async ({ body }) => (await person.get(`/api/exports/${body.exportId}/file`)).status));
    await eventually('they are made', async () => (await statuses()).every((status) => status === 200));
    done(await runUserCommand(bench, person.userId, { kind: 'assignRole', role: 'user' }, bench.context()));
    expect(await statuses()).to.deep.equal([403, 403, 200]);
  });

  it('are cancelled before they are made, and are so many at once', async () => {
    const dan = await bench.person('dan@example.com');
    let last = '';
    for (let nth = 0; nth < 5; nth++) {
      const asked = await dan.post('/api/exports', { of: 'journal', format: 'csv' });
      expect(asked.status).to.equal(202);
      last = asked.body.exportId;
    }
    await bench.projecting.caughtUp();
    expect((await dan.post('/api/exports', { of: 'journal', format: 'csv' })).status).to.equal(429);
    const cancelled = await dan.post(`/api/exports/${last}/cancel`);
    expect((await dan.get(`/api/exports/${last}?after=${cancelled.body.position}`)).body.state).to.equal('cancelled');
    expect((await dan.post('/api/exports', { of: 'journal', format: 'csv' })).status).to.equal(202);
  });

  it('that come again under one name are one', async () => {
    const eve = await bench.person('eve@example.com');
    const body = { of: 'journal', format: 'csv' };
    const [first, second] = [
      await eve.post('/api/exports', body, { 'idempotency-key': 'once' }),
      await eve.post('/api/exports', body, { 'idempotency-key': 'once' }),
    ];
    expect(second.body.exportId).to.equal(first.body.exportId);
  });
});
