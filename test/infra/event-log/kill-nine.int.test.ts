import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import Database from 'libsql';
import pg from 'pg';
import { migrateEventLog } from '../../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { LogFile } from '../../../infra/event-log/sqlite/log-file.ts';
import { START } from '../../../schemas/event-envelope.ts';
import { appendSurely, appendTo } from '../../support/log-events.ts';
import { CrashAudit } from '../../support/log-crash/audit.ts';
import { seeded } from '../../support/log-crash/chance.ts';
import { WriterProcess } from '../../support/log-crash/writer-process.ts';
import { startPostgres } from '../../support/postgres.ts';
import { transpile } from '../../support/transpile.ts';

/** How many kills each log has to survive (`make chaos` asks for 100), and the seed of when they strike. */
const KILLS = Number(process.env['CRASH_KILLS'] ?? 40);
const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const CALLERS = 8;
/** Fewer than this, of what chance brings about in that many kills, and the test did not do what it says. */
const enough = (KILLS - 20) / 2;

describe('an event log under load that is killed with SIGKILL', function () {
  this.timeout(120_000 + KILLS * 3_000);
  let built: string;
  let script: string;
  let folder: string;
  const cleanUps: (() => Promise<unknown>)[] = [];

  before(() => {
    // Inside the project, so that packages are found.
    built = mkdtempSync(join(resolve(dirname(fileURLToPath(import.meta.url)), '../../../node_modules'), '.log-crash-'));
    script = transpile(['test/support/log-crash/main.ts', 'infra/event-log/sqlite/worker.ts'], built)[0] as string;
    folder = mkdtempSync(join(tmpdir(), 'oblivious-crash-'));
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });
  after(() => {
    rmSync(built, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  const startWriter = (where: readonly [string, string], audit: CrashAudit) => (): WriterProcess => {
    const writer = new WriterProcess(script, [...where, String(CALLERS)], (acknowledged) => audit.told(acknowledged));
    cleanUps.push(() => writer.kill().catch(() => undefined));
    return writer;
  };

  it(`keeps all that was acknowledged, in order and without a gap: SQLite, ${KILLS} writers killed (seed ${SEED})`, async () => {
    const chance = seeded(SEED);
    const file = join(folder, 'events.db');
    const audit = new CrashAudit();
    const lookBack = (): void => {
      const log = new LogFile({ file, role: 'writer', busyTimeoutMs: 5_000 });
      for (;;) {
        const { rows, through, head } = log.step({ after: Number(audit.head), upTo: undefined, filter: undefined, limit: 500 });
        for (const [position, stream, revision, eventId, , , , data] of rows) {
          audit.found({ position: BigInt(position), stream, revision, eventId, data: JSON.parse(data) as { readonly revision: number } });
        }
        if (through === head) break;
      }
      log.close();
      audit.check();
    };
    const start = (): WriterProcess =>
      new WriterProcess(script, ['sqlite', file, String(CALLERS)], (acknowledged) => audit.told(acknowledged));

    let next = start();
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = next;
      next = start();
      await writer.ready;
      writer.go();
      // Some die while they open the file and repair what the last one left.
      if (chance() < 0.75) await writer.atWork();
      await pause(chance() * 60);
      await writer.check();
      await writer.kill();
      // Mostly the next writer finds the file as it was left; sometimes the audit is the first to open it.
      if (chance() < 0.2) lookBack();
    }
    await next.kill();
    lookBack();
    expect(audit.acknowledged).to.be.greaterThan(enough);
    expect(audit.recorded).to.be.at.least(audit.acknowledged);
    const db = new Database(file);
    expect(db.pragma('integrity_check', { simple: false })).to.have.nested.property('[0].integrity_check', 'ok');
    db.close();
  });

  it(`keeps all that was acknowledged, in order and without a gap: PostgreSQL, ${KILLS} times a writer or the whole server killed (seed ${SEED})`, async () => {
    const chance = seeded(SEED);
    const server = await startPostgres({ settings: { restart_after_crash: 'off' } });
    cleanUps.push(() => server.stop());
    const client = new pg.Client({ connectionString: server.connectionString });
    await client.connect();
    await migrateEventLog(client);
    await client.end();
    const log = await openPostgresLog({ connectionString: server.connectionString, statementTimeoutMs: 5_000, pollMs: 200 });
    cleanUps.push(() => log.close());
    const audit = new CrashAudit();
    const abort = new AbortController();
    // One subscription through all of it: it must find its way back each time and see every event once.
    let seen: (() => void) | undefined;
    const goal: { end?: bigint } = {};
    const reader = (async () => {
      for await (const message of log.subscribe({ after: START, signal: abort.signal })) {
        if (message.kind === 'events') for (const event of message.events) if (event.stream !== 'crash-end') audit.found(event);
        if (goal.end !== undefined && message.kind !== 'events' && message.position >= goal.end) seen?.();
      }
    })();
    const start = startWriter(['postgres', server.connectionString], audit);

    const kills = { writer: 0, server: 0 };
    let next = start();
    let writer: WriterProcess | undefined;
    for (let kill = 0; kill < KILLS; kill++) {
      if (writer === undefined) {
        writer = next;
        next = start();
        await writer.ready;
        writer.go();
      }
      // Mostly under load; some strike while connections are made and what was under way is sent again.
      if (chance() < 0.75) await writer.atWork();
      await pause(chance() * 60);
      await writer.check();
      if (chance() < 0.5) {
        kills.writer += 1;
        await writer.kill();
        writer = undefined;
      } else {
        // All its processes at one instant, or the shutdown that does not wait for anything.
        kills.server += 1;
        await server.kill(chance() < 0.7 ? 'SIGKILL' : 'SIGQUIT');
        await server.restart();
      }
    }
    await writer?.kill();
    await next.kill();
    const last = await appendSurely(log, appendTo('crash-end', 'any'));
    const drained = new Promise<void>((resolve) => (seen = resolve));
    goal.end = last.outcome === 'appended' ? last.position : 0n;
    await appendSurely(log, appendTo('crash-end', 'any'));
    await Promise.race([drained, reader]);
    abort.abort();
    await reader;
    audit.check();
    expect(audit.acknowledged).to.be.greaterThan(enough);
    expect(audit.recorded).to.be.at.least(audit.acknowledged);
    expect(Math.min(kills.writer, kills.server) * 2).to.be.greaterThan(enough);
  });
});
