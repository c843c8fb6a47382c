import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expireExports } from '../../../commands/exports/expire-exports.ts';
import { exportsWorker } from '../../../commands/exports/exports-worker.ts';
import { runExportCommand } from '../../../commands/exports/run-export-command.ts';
import type { CommandContext } from '../../../commands/command-context.ts';
import type { ExportSource } from '../../../commands/ports/export-source.ts';
import type { ExportStore } from '../../../commands/ports/export-store.ts';
import { decodeEvent } from '../../../domain/kernel/event-codec.ts';
import { CSV_START } from '../../../gateways/console/csv.ts';
import { JOURNAL_CSV_HEAD, journalCsvLine } from '../../../gateways/console/journal-csv.ts';
import { consoleReads } from '../../../gateways/console/reads/console-reads.ts';
import { exportSource } from '../../../gateways/exports/export-source.ts';
import { directoryStore } from '../../../infra/exports/directory-store.ts';
import { timeSortedIds } from '../../../infra/ids.ts';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import type { ExportedRows, ExportFormat } from '../../../schemas/events/export.ts';
import { CommandId, ExportId } from '../../../schemas/ids.ts';
import { appendsOf, longHistory } from '../../support/histories.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { startProjecting, wallClock, type Projecting } from '../../support/projecting.ts';
import { emptyReadModels } from '../../support/read-models.ts';
import { done } from '../../support/refused.ts';
import { eventually, startWorking, type Working } from '../../support/working.ts';

const WEEK_MS = 7 * 86_400_000;
const context = (id: string): CommandContext => ({
  commandId: CommandId.parse(id),
  correlationId: id,
  causationId: id,
  actor: { kind: 'operator', id: 'test' },
  tenant: 'platform',
  occurredAt: new Date().toISOString(),
});

describe('exports as files', function () {
  this.timeout(120_000);
  let models: ReadModels;
  let log: MemoryLog;
  let projecting: Projecting;
  let directory: string;
  let store: ExportStore;
  let source: ExportSource;
  const running: Working[] = [];

  const appender = {
    append: async (append: Parameters<MemoryLog['append']>[0][number]) => {
      const [outcome] = await log.append([append]);
      if (outcome === undefined) throw new Error('the log gave no outcome');
      return outcome;
    },
  };
  beforeEach(async () => {
    models = await emptyReadModels();
    log = memoryLog();
    projecting = startProjecting({ feed: log, database: models.database });
    directory = mkdtempSync(join(tmpdir(), 'oblivious-test-exports-'));
    store = directoryStore(directory);
    source = exportSource({ sql: models.database, board: projecting.board });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((working) => working.stop()));
    await projecting.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const start = (more: { readonly source?: ExportSource; readonly store?: ExportStore } = {}): Working => {
    const worker = {
      ...exportsWorker({ log, appender, source, store, clock: wallClock, keepMs: WEEK_MS, ...more }),
      from: 'start' as const,
    };
    // A loaded machine may be slow to renew a claim: none of these tests is about losing one.
    const working = startWorking({ log, database: models.database, workers: [worker], policy: { claimMs: 60_000, ownMs: 60_000 } });
    running.push(working);
    return working;
  };
  let asked = 0;
  const request = async (rows: ExportedRows, format: ExportFormat = 'csv'): Promise<ExportId> => {
    const exportId = ExportId.parse(`exp_${++asked}`);
    done(
      await runExportCommand(
        { log, appender },
        exportId,
        { kind: 'request', requestedBy: null, rows, format, withCosts: true },
        context(`ask-${asked}`),
      ),
    );
    return exportId;
  };
  const eventOf = (exportId: ExportId, type: string) => {
    const found = log.events.find((event) => event.type === type && event.data['exportId'] === exportId);
    return found === undefined ? undefined : decodeEvent(found);
  };
  const made = async (exportId: ExportId) => {
    await eventually(`${exportId} is completed`, () => eventOf(exportId, 'ExportCompleted') !== undefined);
    const event = eventOf(exportId, 'ExportCompleted');
    if (event?.type !== 'ExportCompleted') throw new Error('no such event');
    const name = readdirSync(directory).find((file) => file.startsWith(`${exportId}.`)) ?? '';
    const packed = readFileSync(join(directory, name));
    return { ...event.data, packed, text: gunzipSync(packed).toString('utf8'), name };
  };
  const reads = () => consoleReads({ sql: models.database, board: projecting.board, log, clock: wallClock });

  it('hold what the console’s queries tell, to the byte, of several thousand rows', async () => {
    await log.append(appendsOf(longHistory(8_000, 7)));
    await projecting.caughtUp();
    const whole = await request({ of: 'journal', owner: 'everybody', view: 'entries' });
    start();
    const file = await made(whole);
    const lines: string[] = [];
    for await (const row of reads().journalRows({ owner: 'everybody', range: {}, view: 'entries' })) lines.push(journalCsvLine(row));
    expect(lines.length).to.be.greaterThan(3_000);
    expect(file.text).to.equal(CSV_START + JOURNAL_CSV_HEAD + lines.join(''));
    expect(file).to.include({ rows: lines.length, bytes: file.packed.length, name: `${whole}.csv.gz` });
    expect(file.sha256).to.equal(createHash('sha256').update(file.packed).digest('hex'));
    expect(Math.abs(Date.parse(file.expiresAt) - Date.now() - WEEK_MS)).to.be.lessThan(60_000);
    expect(statSync(join(directory, file.name)).mode & 0o077).to.equal(0);

    // One user's calls as JSON lines, and none that still runs.
    const ended = log.events.map((event) => decodeEvent(event)).find((event) => event.type === 'QuotaDebited');
    if (ended?.type !== 'QuotaDebited') throw new Error('nobody was charged');
    const owner = ended.data.userId;
    const expected: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await reads().requests({ owner, range: {} }, { cursor, limit: 200 });
      expected.push(...page.rows.filter(({ state }) => state !== 'running').map(({ requestId }) => requestId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    const own = await made(await request({ of: 'requests', owner }, 'jsonl'));
    const rows = own.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly requestId: string; readonly userId: string });
    expect(expected.length).to.be.greaterThan(20);
    expect(rows.map(({ requestId }) => requestId)).to.deep.equal(expected);
    expect(new Set(rows.map(({ userId }) => userId))).to.deep.equal(new Set([owner]));
  });

  it('hold one moment, whatever happens while they are written, and are the same when they are written again', async () => {
    const history = appendsOf(longHistory(2_000, 7));
    const half = Math.floor(history.length * 0.8);
    await log.append(history.slice(0, half));
    await projecting.caughtUp();
    source = exportSource({ sql: models.database, board: projecting.board, page: 150 });
    let pages = 0;
    const growing: ExportSource = {
      ...source,
      pages: async function* (what, position) {
        for await (const page of source.pages(what, position)) {
          if (++pages === 3) {
            await log.append(history.slice(half));
            await projecting.caughtUp();
          }
          yield page;
        }
      },
    };
    const of = { of: 'requests', owner: 'everybody' } as const;
    const exportId = await request(of);
    start({ source: growing });
    const file = await made(exportId);
    expect(pages).to.be.at.least(3);
    let text = '';
    const event = eventOf(exportId, 'ExportRequested');
    if (event?.type !== 'ExportRequested') throw new Error('no such event');
    for await (const page of source.pages(event.data, BigInt(file.position) as never)) text += page.text;
    expect(file.text).to.equal(text);
    const later = await made(await request(of));
    expect(later.rows).to.be.greaterThan(file.rows);
  });

  it('are given up when they are cancelled, and leave no file', async () => {
    let goOn: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    let writing = false;
    const slow: ExportSource = {
      readyAt: (position) => Promise.resolve(position),
      pages: async function* () {
        yield { rows: 1, text: 'one' };
        writing = true;
        await gate;
        yield { rows: 1, text: 'two' };
      },
    };
    const exportId = await request({ of: 'journal', owner: 'everybody', view: 'entries' });
    const working = start({ source: slow });
    await working.until('it is being written', () => writing);
    done(await runExportCommand({ log, appender }, exportId, { kind: 'cancel' }, context('cancel')));
    goOn();
    await working.until('both are done', () => working.counts.filter((count) => count === 'exports done').length === 2);
    expect(readdirSync(directory)).to.deep.equal([]);
    expect(eventOf(exportId, 'ExportCompleted')).to.equal(undefined);
  });

  it('say that they failed when they do for good, and are made when an operator tries again', async () => {
    let full = true;
    const flaky: ExportStore = { ...store, write: (...write) => (full ? Promise.reject(new Error('no room')) : store.write(...write)) };
    const exportId = await request({ of: 'journal', owner: 'everybody', view: 'statement' });
    const working = start({ store: flaky });
    await working.until('it failed', () => eventOf(exportId, 'ExportFailed') !== undefined);
    expect(eventOf(exportId, 'ExportFailed')?.data).to.deep.equal({ exportId, reason: 'no room' });
    await working.until('it is parked', () => working.counts.includes('exports parked'));
    full = false;
    await models.database.query('UPDATE workers.work SET parked_at = NULL, attempts = 0, due_at = now()');
    expect((await made(exportId)).rows).to.equal(0);
  });

  it('expire, and their files go', async () => {
    const exportId = await request({ of: 'journal', owner: 'everybody', view: 'statement' });
    const working = start();
    await made(exportId);
    const later = { now: () => Date.now() + WEEK_MS + 1_000 };
    const deps = { log, appender, ids: timeSortedIds };
    expect(await expireExports({ ...deps, clock: wallClock }, [exportId])).to.equal(0);
    expect(await expireExports({ ...deps, clock: later }, [exportId])).to.equal(1);
    expect(await expireExports({ ...deps, clock: later }, [exportId])).to.equal(0);
    await working.until('the file is gone', () => readdirSync(directory).length === 0);
  });
});
