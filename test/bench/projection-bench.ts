import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { toRecorded, type StoredEvent } from '../../infra/event-log/stored-event.ts';
import { openReadModels, type ReadModels } from '../../infra/read-models/read-models.ts';
import { PositionBoard } from '../../projections/engine/position-board.ts';
import { DEFAULT_PROJECTOR_POLICY } from '../../projections/engine/projector-policy.ts';
import { Projector } from '../../projections/engine/projector.ts';
import type { EventFeed } from '../../projections/ports/event-feed.ts';
import type { ReadModelDatabase, RunTransaction } from '../../projections/ports/read-model-database.ts';
import { projections } from '../../projections/registry.ts';
import type { LogMessage, Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import { startPostgres } from '../support/postgres.ts';
import { storedEvents } from './call-events.ts';
import { cpuSeconds, withDescendants } from './process-cpu.ts';

/**
 * What keeping the read models current costs for each relayed call: `tsx test/bench/projection-bench.ts [postgres|pglite]`. Calls are those of
 * 10 users with 20 keys and 5 models, with `BENCH_CALLS` (40,000 unless given) fed at once, after a round that is not counted, and then at `BENCH_RATE` a second (2,500); with
 * `BENCH_STATEMENTS` set it also prints where PostgreSQL's time went.
 */
const CALLS = Number(process.env['BENCH_CALLS'] ?? 40_000);
const RATE = Number(process.env['BENCH_RATE'] ?? 2_500);
const STATEMENTS = process.env['BENCH_STATEMENTS'] !== undefined;
const STEP_EVENTS = 500;
const REVEAL_MS = 5;

/** A log that grows as the bench says. */
class PacedFeed implements EventFeed {
  readonly #stored: readonly StoredEvent[];
  #end = 0;
  #wake: () => void = () => undefined;

  constructor(stored: readonly StoredEvent[]) {
    this.#stored = stored;
  }

  /** Lets so many events be seen. */
  reveal(events: number): void {
    this.#end = Math.min(events, this.#stored.length);
    this.#wake();
  }

  async head(): Promise<Position> {
    return BigInt(this.#end) as Position;
  }

  async *readAll(): AsyncGenerator<RecordedEvent> {
    yield* [];
  }

  async *subscribe({ after, signal }: { readonly after: Position; readonly signal: AbortSignal }): AsyncGenerator<LogMessage> {
    let at = Number(after);
    signal.addEventListener('abort', () => this.#wake());
    while (!signal.aborted) {
      if (at < this.#end) {
        const events = this.#stored.slice(at, Math.min(at + STEP_EVENTS, this.#end)).map(toRecorded);
        at += events.length;
        yield { kind: 'events', events };
        continue;
      }
      yield { kind: 'caughtUp', position: BigInt(at) as Position };
      if (at === this.#end && !signal.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

interface Subject {
  readonly name: string;
  readonly models: ReadModels;
  /** CPU seconds of the database, where that is not this process. */
  databaseCpu(): number;
  /** What each statement took, the dearest first. */
  statements(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const postgresSubject = async (): Promise<Subject> => {
  const server = await startPostgres({
    settings: {
      shared_buffers: '256MB',
      max_wal_size: '2GB',
      ...(STATEMENTS ? { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track': 'all' } : {}),
    },
  });
  const models = await openReadModels({ kind: 'postgres', connectionString: server.connectionString });
  const postmaster = Number(readFileSync(join(server.dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  if (STATEMENTS) await models.pool.query('CREATE EXTENSION pg_stat_statements SCHEMA public');
  return {
    name: 'PostgreSQL',
    models,
    databaseCpu: () => cpuSeconds(withDescendants([postmaster])),
    statements: async () => {
      if (!STATEMENTS) return [];
      const { rows } = await models.pool.query<{ micros: number; calls: number; query: string }>(
        'SELECT total_exec_time * 1000 AS micros, calls::int AS calls, query FROM pg_stat_statements ORDER BY 1 DESC LIMIT 14',
      );
      await models.pool.query('SELECT pg_stat_statements_reset()');
      return rows.map(
        ({ micros, calls, query }) =>
          `${(micros / CALLS).toFixed(2).padStart(7)} µs/call ${calls} x ${query.replace(/\s+/g, ' ').trim().slice(0, 110)}`,
      );
    },
    close: async () => {
      await models.close();
      await server.stop();
    },
  };
};

const pgliteSubject = async (): Promise<Subject> => {
  const directory = mkdtempSync(join(tmpdir(), 'oblivious-bench-'));
  const models = await openReadModels({ kind: 'pglite', directory });
  return {
    name: 'PGlite',
    models,
    databaseCpu: () => 0,
    statements: async () => [],
    close: async () => {
      await models.close();
      rmSync(directory, { recursive: true });
    },
  };
};

/** The same database, counting what is committed. */
const counting = (database: ReadModelDatabase): { readonly database: ReadModelDatabase; commits: number } => {
  const handle = { commits: 0, database };
  handle.database = {
    ...database,
    lead: async (signal) => {
      const leadership = await database.lead(signal);
      if (leadership === null) return null;
      const transaction: RunTransaction = async (work, options) => {
        const result = await leadership.transaction(work, options);
        handle.commits += 1;
        return result;
      };
      return { ...leadership, transaction };
    },
  };
  return handle;
};

interface Cost {
  readonly node: number;
  readonly database: number;
  readonly commits: number;
  readonly seconds: number;
  readonly longestBlockMs: number;
}

/** Projects everything; `rate` is calls a second. */
const project = async (subject: Subject, stored: readonly StoredEvent[], rate: number | null): Promise<Cost> => {
  const feed = new PacedFeed(stored);
  const counted = counting(subject.models.database);
  const board = new PositionBoard({ database: counted.database, projections });
  const failures: Error[] = [];
  const projector = new Projector({
    feed,
    database: counted.database,
    projections,
    board,
    clock: { now: () => Date.now() },
    report: (report) => {
      if (report.kind === 'interrupted') failures.push(report.error);
      if (report.kind === 'parked') failures.push(report.poison);
    },
  });
  const abort = new AbortController();
  const running = projector.run(abort.signal);
  const preamble = stored.findIndex(({ type }) => type === 'QuotaReserved') - 1;
  feed.reveal(preamble);
  await board.waitFor('all', BigInt(preamble) as Position, 30_000);
  const before = { commits: counted.commits, database: subject.databaseCpu(), node: process.cpuUsage(), at: performance.now() };
  let longestBlockMs = 0;
  let lastTick = performance.now();
  const ticking = setInterval(() => {
    longestBlockMs = Math.max(longestBlockMs, performance.now() - lastTick - 5);
    lastTick = performance.now();
  }, 5);
  const eventsPerMs = rate === null ? Infinity : (rate * stored.length) / CALLS / 1_000;
  for (;;) {
    const due = preamble + (performance.now() - before.at) * eventsPerMs;
    feed.reveal(Number.isFinite(due) ? Math.floor(due) : stored.length);
    if (due >= stored.length) break;
    await pause(REVEAL_MS);
  }
  while (board.positionOf('journal') < BigInt(stored.length) && failures.length === 0) await pause(5);
  const seconds = (performance.now() - before.at) / 1_000;
  clearInterval(ticking);
  const { user, system } = process.cpuUsage(before.node);
  const commits = counted.commits - before.commits;
  // Writers in the background have their share a little later.
  await pause(1_200);
  const database = subject.databaseCpu() - before.database;
  abort.abort();
  await running;
  if (failures[0] !== undefined) throw failures[0];
  return { node: (user + system) / CALLS, database: (database * 1e6) / CALLS, commits, seconds, longestBlockMs };
};

/** What the feed itself costs, with its clock and its parsing of events. */
const feedAlone = async (stored: readonly StoredEvent[], rate: number | null): Promise<number> => {
  const feed = new PacedFeed(stored);
  const abort = new AbortController();
  let seen = 0;
  const before = process.cpuUsage();
  const began = performance.now();
  const reading = (async () => {
    for await (const message of feed.subscribe({ after: 0n as Position, signal: abort.signal }))
      if (message.kind === 'events') seen += message.events.length;
  })();
  while (seen < stored.length) {
    feed.reveal(rate === null ? stored.length : Math.floor(((performance.now() - began) * rate * stored.length) / CALLS / 1_000));
    await pause(REVEAL_MS);
  }
  const { user, system } = process.cpuUsage(before);
  abort.abort();
  await reading;
  return (user + system) / CALLS;
};

const empty = (models: ReadModels): Promise<unknown> =>
  models.pool.query('DROP SCHEMA IF EXISTS read_models CASCADE; DROP SCHEMA IF EXISTS read_models_engine CASCADE');

const only = process.argv[2];
const stored = storedEvents(CALLS, RATE);
process.stdout.write(
  `${CALLS.toLocaleString('en')} calls, ${stored.length.toLocaleString('en')} events; linger ${DEFAULT_PROJECTOR_POLICY.lingerMs} to ${DEFAULT_PROJECTOR_POLICY.longestLingerMs} ms, at most ${DEFAULT_PROJECTOR_POLICY.batchSize} events; node without what the feed itself takes.\n`,
);
for (const [name, open] of [
  ['postgres', postgresSubject],
  ['pglite', pgliteSubject],
] as const) {
  if (only !== undefined && only !== name) continue;
  const subject = await open();
  try {
    await project(subject, stored, null);
    for (const rate of [null, RATE]) {
      await empty(subject.models);
      const own = await feedAlone(stored, rate);
      const { node, database, commits, seconds, longestBlockMs } = await project(subject, stored, rate);
      process.stdout.write(
        `${subject.name}, ${rate === null ? 'at once' : `${rate}/s`}: node ${(node - own).toFixed(1)} µs/call (feed ${own.toFixed(1)}), database ${database.toFixed(1)} µs/call, ${(stored.length / commits).toFixed(0)} events/commit, ${(CALLS / seconds).toFixed(0)} calls/s, longest block ${longestBlockMs.toFixed(0)} ms\n`,
      );
      for (const line of await subject.statements()) process.stdout.write(`  ${line}\n`);
    }
    const { rows } = await subject.models.pool.query<{ name: string; rows: number; bytes: number }>(
      `SELECT relname AS name, greatest(reltuples, 0)::float8 AS rows, pg_relation_size(oid)::float8 AS bytes FROM pg_class
       WHERE relnamespace = 'read_models'::regnamespace AND relkind IN ('r', 'i') AND pg_relation_size(oid) > 1000000 ORDER BY 3 DESC`,
    );
    for (const { name: relation, bytes } of rows)
      process.stdout.write(`  ${(bytes / CALLS).toFixed(0).padStart(5)} bytes/call ${relation}\n`);
  } finally {
    await subject.close();
  }
}
