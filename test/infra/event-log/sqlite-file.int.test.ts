import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import Database from 'libsql';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import type { LogFault } from '../../../infra/event-log/log-fault.ts';
import { openSqliteLog } from '../../../infra/event-log/sqlite/open-sqlite-log.ts';
import type { OpenSqliteLogOptions } from '../../../infra/event-log/sqlite/open-sqlite-log.ts';
import { startWorker } from '../../../infra/event-log/sqlite/start-worker.ts';
import { appendOne, appendSurely, appendTo, collect, newEvents, stream } from '../../support/log-events.ts';
import { transpile } from '../../support/transpile.ts';

describe('the event log in an SQLite file', function () {
  this.timeout(60_000);
  let folder: string;
  let file: string;
  const opened: EventLog[] = [];
  const faults: LogFault[] = [];

  const open = async (options: Partial<OpenSqliteLogOptions> = {}): Promise<EventLog> => {
    const log = await openSqliteLog({ file, onFault: (fault) => faults.push(fault), ...options });
    opened.push(log);
    return log;
  };
  const failure = async (work: Promise<unknown>): Promise<string> => work.then(() => 'no failure', String);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'oblivious-sqlite-'));
    file = join(folder, 'events.db');
  });
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close();
    faults.length = 0;
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps what was appended when it is closed and opened again', async () => {
    const events = newEvents(3);
    const first = await open();
    const outcome = await appendOne(first, appendTo('test-a', 'no_stream', events));
    await first.close();
    await first.close();
    expect(await appendOne(first, appendTo('test-a', 2))).to.have.nested.property('cause.message', 'The event log is closed.');
    const second = await open();
    expect((await collect(second.readStream(stream('test-a')))).map(({ eventId }) => eventId)).to.deep.equal(
      events.map(({ eventId }) => eventId),
    );
    expect(await appendOne(second, appendTo('test-a', 'any', events))).to.deep.equal({ ...outcome, repeated: true });
  });

  it('is for its owner alone in a folder that others may look into, with what is beside it', async () => {
    chmodSync(folder, 0o755);
    const modes = (): string[] => readdirSync(folder).map((name) => `${name} ${(statSync(join(folder, name)).mode & 0o777).toString(8)}`);
    const first = await open();
    await appendOne(first, appendTo('test-a', 'no_stream'));
    expect(modes()).to.have.members(['events.db 600', 'events.db-wal 600', 'events.db-shm 600']);
    await first.close();
    const second = await open();
    await appendOne(second, appendTo('test-a', 0));
    expect(modes()).to.have.members(['events.db 600', 'events.db-wal 600', 'events.db-shm 600']);
  });

  it('refuses files that are no event log, are from the future, are damaged, or cannot be written durably', async () => {
    const other = new Database(file);
    other.exec('create table t (x)');
    other.close();
    expect(await failure(open())).to.match(/is an SQLite database, but not an event log/);
    rmSync(file);
    await (await open()).close();
    const newer = new Database(file);
    newer.exec('pragma user_version = 99');
    newer.close();
    expect(await failure(open())).to.match(/schema version 99; this program knows 1/);
    writeFileSync(file, Buffer.alloc(8_192, 'x'));
    expect(await failure(open())).to.match(/not a database/);
    expect(await failure(open({ file: ':memory:' }))).to.match(/cannot be kept durably: its journal mode is memory/);
    expect(await failure(open({ file: join(folder, 'missing', 'events.db') }))).to.not.equal('no failure');
  });

  it('lets nobody change or remove what was recorded', async () => {
    const log = await open();
    await appendOne(log, appendTo('test-a', 'any'));
    const db = new Database(file);
    expect(() => db.exec(`update events set data = '{}'`)).to.throw(/never changed/);
    expect(() => db.exec('delete from events')).to.throw(/never removed/);
    expect(db.prepare('select stream, type from readable').all([])).to.have.nested.property('[0].stream', 'test-a');
    db.close();
  });

  it('waits for another writer no longer than it is told to, and appends afterwards', async () => {
    const log = await open({ busyTimeoutMs: 100 });
    const db = new Database(file);
    db.exec('begin immediate');
    const append = appendTo('test-a', 'no_stream');
    const outcome = await appendOne(log, append);
    expect(outcome)
      .to.have.nested.property('cause.message')
      .that.matches(/locked/);
    expect(await collect(log.readAll())).to.deep.equal([]);
    db.exec('rollback');
    db.close();
    expect(await appendSurely(log, append)).to.include({ outcome: 'appended', repeated: false });
    expect(faults.map(({ what }) => what)).to.deep.equal(['append_failed']);
  });

  it('sees what another connection appended before it counts revisions', async () => {
    const [one, two] = [await open(), await open()];
    for (let revision = 0; revision < 20; revision++) {
      const log = revision % 2 === 0 ? one : two;
      expect(await appendOne(log, appendTo('test-a', revision === 0 ? 'no_stream' : revision - 1))).to.include({
        outcome: 'appended',
        revision,
      });
      expect(await appendOne(log, appendTo('test-a', 'no_stream'))).to.deep.equal({ outcome: 'conflict', actual: revision });
    }
  });

  it('gives up on a thread that does not answer, and goes on with another', async () => {
    let isDeaf = false;
    const log = await open({
      deadlineMs: 4_000,
      startWorker: (settings) =>
        isDeaf && settings.role === 'writer'
          ? new Worker(`require('node:worker_threads').parentPort.on('message', () => {})`, { eval: true })
          : startWorker(settings),
    });
    const append = appendTo('test-a', 'no_stream');
    isDeaf = true;
    // The writer that is there fails at the broken append and is replaced by a deaf one.
    const db = new Database(file);
    db.exec('begin immediate');
    expect((await appendOne(log, append)).outcome).to.equal('unknown');
    expect(faults.map(({ what }) => what)).to.include('worker_lost');
    db.exec('rollback');
    db.close();
    expect(await appendOne(log, append)).to.have.nested.property('cause.name', 'WorkerLost');
    isDeaf = false;
    expect(await appendSurely(log, append)).to.include({ outcome: 'appended', revision: 0 });
    expect(await collect(log.readAll())).to.have.length(1);
  });

  it('works in its built form, thread and all', () => {
    const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
    const built = mkdtempSync(join(root, 'node_modules', '.built-log-'));
    try {
      const [module] = transpile(['infra/event-log/sqlite/open-sqlite-log.ts', 'infra/event-log/sqlite/worker.ts'], built);
      const script = `
        const { openSqliteLog } = await import(${JSON.stringify(module)});
        const log = await openSqliteLog({ file: ${JSON.stringify(file)} });
        const append = JSON.parse(${JSON.stringify(JSON.stringify(appendTo('test-a', 'no_stream')))});
        const [outcome] = await log.append([append]);
        await log.close();
        process.stdout.write(outcome.outcome);`;
      const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: {} });
      expect(ran.stdout, ran.stderr).to.equal('appended');
    } finally {
      rmSync(built, { recursive: true, force: true });
    }
  });
});
