import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createAppendQueue } from '../../commands/append-queue.ts';
import { deriveEventId } from '../../commands/event-id.ts';
import type { EventLog, StreamAppend } from '../../commands/ports/event-log.ts';
import { migrateEventLog } from '../../infra/event-log/postgres/log-schema.ts';
import { openPostgresLog } from '../../infra/event-log/postgres/open-postgres-log.ts';
import { openSqliteLog } from '../../infra/event-log/sqlite/open-sqlite-log.ts';
import { START } from '../../schemas/event-envelope.ts';
import type { ExpectedRevision, NewEvent } from '../../schemas/event-envelope.ts';
import { CommandId } from '../../schemas/ids.ts';
import type { StreamName } from '../../schemas/ids.ts';
import { startPostgres } from '../support/postgres.ts';

/**
 * How fast each log takes appends, and what an event costs: `tsx test/bench/event-log-bench.ts [sqlite|postgres]`, with `BENCH_SECONDS`
 * for each case (2 unless given). Events have the shape and size of the ledger's; streams are as many as there would be leases.
 */
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);
const STREAMS = 40;

interface Subject {
  readonly name: string;
  readonly log: EventLog;
  /** CPU seconds that the store's own processes have used. */
  storeCpu(): number;
  close(): Promise<void>;
}

interface Result {
  readonly scenario: string;
  readonly eventsPerSecond: number;
  readonly perBatch: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly nodeMicros: number;
  readonly storeMicros: number;
}

/** Appends as a gateway makes them: ids derived, revisions known, one event each. */
const maker = (): (() => StreamAppend) => {
  const run = randomUUID().slice(0, 8);
  const ends = new Map<number, number>();
  let made = 0;
  return () => {
    const lease = made % STREAMS;
    const end = ends.get(lease) ?? -1;
    ends.set(lease, end + 1);
    const requestId = `req_01J9ZK3Q7XW8Y${run}${made++}`;
    const commandId = CommandId.parse(`debit:${requestId}`);
    const expectedRevision: ExpectedRevision = end < 0 ? 'no_stream' : end;
    const event: NewEvent = {
      eventId: deriveEventId(commandId, 0),
      type: made % 2 === 0 ? 'QuotaReserved' : 'QuotaDebited',
      schemaVersion: 1,
      data: {
        requestId,
        amount: '1234567',
        usage: { input: 312, cachedInput: 0, output: 128 },
        priceId: 'prl_01J9ZK3Q7XW8Y',
        model: 'gpt-4o-mini',
        attempt: 1,
      },
      metadata: {
        correlationId: requestId,
        causationId: requestId,
        commandId,
        actor: { kind: 'token', id: 'key_01J9ZK3Q7XW8Y' },
        tenant: 'usr_01J9ZK3Q7XW8Y',
        occurredAt: '2026-01-02T03:04:05.678Z',
      },
    };
    return { stream: `lease-lse_01J9ZK3Q7XW8Y${run}${lease}` as StreamName, expectedRevision, events: [event] };
  };
};

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;

const measure = async (
  scenario: string,
  subject: Subject,
  run: (until: number, latencies: number[]) => Promise<{ events: number; batches: number }>,
): Promise<Result> => {
  await run(performance.now() + 300, []);
  const latencies: number[] = [];
  const store = subject.storeCpu();
  const node = process.cpuUsage();
  const started = performance.now();
  const { events, batches } = await run(started + SECONDS * 1_000, latencies);
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(node);
  latencies.sort((a, b) => a - b);
  return {
    scenario: `${subject.name}, ${scenario}`,
    eventsPerSecond: events / seconds,
    perBatch: events / batches,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    nodeMicros: (user + system) / events,
    storeMicros: ((subject.storeCpu() - store) * 1e6) / events,
  };
};

const batches = (subject: Subject, size: number): Promise<Result> => {
  const make = maker();
  return measure(`batches of ${size}`, subject, async (until, latencies) => {
    let count = 0;
    while (performance.now() < until) {
      const batch = Array.from({ length: size }, make);
      const started = performance.now();
      const outcomes = await subject.log.append(batch);
      latencies.push(performance.now() - started);
      if (outcomes.some(({ outcome }) => outcome !== 'appended')) throw new Error('An append failed.');
      count += 1;
    }
    return { events: count * size, batches: count };
  });
};

const callers = (subject: Subject, count: number): Promise<Result> => {
  const make = maker();
  return measure(`group commit, ${count} callers`, subject, async (until, latencies) => {
    const queue = createAppendQueue(subject.log);
    await Promise.all(
      Array.from({ length: count }, async () => {
        while (performance.now() < until) {
          const started = performance.now();
          const { outcome } = await queue.append(make());
          if (outcome !== 'appended') throw new Error(`An append ended as ${outcome}.`);
          latencies.push(performance.now() - started);
        }
      }),
    );
    const { events, batches: made } = queue.stats();
    return { events, batches: made };
  });
};

/** What the same appends cost with a subscription that follows them all. */
const followed = async (subject: Subject, count: number): Promise<Result> => {
  const abort = new AbortController();
  let seen = 0;
  const reader = (async () => {
    for await (const message of subject.log.subscribe({ after: await subject.log.head(), signal: abort.signal }))
      if (message.kind === 'events') seen += message.events.length;
  })();
  const result = await callers(subject, count);
  abort.abort();
  await reader;
  if (seen === 0) throw new Error('The subscription saw nothing.');
  return { ...result, scenario: `${result.scenario}, followed live` };
};

const reading = (subject: Subject, categories?: readonly string[]): Promise<Result> =>
  measure(`catch-up${categories === undefined ? '' : ' with a filter'}`, subject, async (until) => {
    let events = 0;
    let steps = 0;
    while (performance.now() < until) {
      for await (const message of subject.log.subscribe({
        after: START,
        signal: AbortSignal.timeout(60_000),
        ...(categories === undefined ? {} : { filter: { categories } }),
      })) {
        if (message.kind === 'events') {
          events += message.events.length;
          steps += 1;
        }
        if (message.kind === 'caughtUp' || performance.now() > until) break;
      }
    }
    return { events, batches: steps };
  });

/** CPU seconds of a process and its children, from Linux's /proc; 0 elsewhere. */
const treeCpu = (root: number): number => {
  if (!existsSync('/proc/self/stat')) return 0;
  let ticks = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const text = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      if (Number(entry) === root || Number(fields[1]) === root)
        ticks += Number(fields[11]) + Number(fields[12]) + (Number(entry) === root ? Number(fields[13]) + Number(fields[14]) : 0);
    } catch {
      // It has ended meanwhile; its parent has its time.
    }
  }
  return ticks / 100;
};

const sqliteSubject = async (): Promise<Subject> => {
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-bench-'));
  const log = await openSqliteLog({ file: join(folder, 'events.db') });
  return {
    name: 'SQLite',
    log,
    storeCpu: () => 0,
    close: async () => {
      await log.close();
      rmSync(folder, { recursive: true });
    },
  };
};

const postgresSubject = async (): Promise<Subject> => {
  const server = await startPostgres({ settings: { shared_buffers: '256MB', max_wal_size: '2GB' } });
  const client = new pg.Client({ connectionString: server.connectionString });
  await client.connect();
  await migrateEventLog(client);
  await client.end();
  const log = await openPostgresLog({ connectionString: server.connectionString });
  const postmaster = Number(readFileSync(join(server.dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  return {
    name: 'PostgreSQL',
    log,
    storeCpu: () => treeCpu(postmaster),
    close: async () => {
      await log.close();
      await server.stop();
    },
  };
};

const print = (results: readonly Result[]): void => {
  const rows = results.map(({ scenario, eventsPerSecond, perBatch, p50Ms, p99Ms, nodeMicros, storeMicros }) => [
    scenario,
    Math.round(eventsPerSecond).toLocaleString('en'),
    perBatch.toFixed(1),
    Number.isNaN(p50Ms) ? '' : `${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)}`,
    nodeMicros.toFixed(2),
    storeMicros === 0 ? '' : storeMicros.toFixed(2),
  ]);
  const table = [['scenario', 'events/s', 'events per batch', 'p50 / p99 ms', 'node CPU µs/event', 'store CPU µs/event'], ...rows];
  const widths = (table[0] as string[]).map((_, i) => Math.max(...table.map((row) => (row[i] as string).length)));
  for (const row of table)
    process.stdout.write(
      `${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  ')}\n`,
    );
};

const only = process.argv[2];
process.stdout.write(
  `${cpus().length} CPUs, Node ${process.version}; the node column is the whole process, making of events and threads included.\n`,
);
for (const [name, open] of [
  ['sqlite', sqliteSubject],
  ['postgres', postgresSubject],
] as const) {
  if (only !== undefined && only !== name) continue;
  const subject = await open();
  try {
    const results: Result[] = [];
    for (const size of [1, 20, 200, 500]) results.push(await batches(subject, size));
    for (const count of [1, 16, 64, 256, 1_024]) results.push(await callers(subject, count));
    results.push(await followed(subject, 64), await reading(subject), await reading(subject, ['lease']));
    print(results);
  } finally {
    await subject.close();
  }
}
