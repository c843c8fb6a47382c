import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startPostgres } from '../support/postgres.ts';
import { signIn } from './console-session.ts';
import { INSTANT_MODEL, SLOW_MODEL } from './mock-models.ts';
import { startServer } from './server-process.ts';
import type { RunningProcess } from './server-process.ts';
import type { Target } from './target.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Another build may be measured in its place, for instance the one of before a change. */
const MAIN = resolve(process.env['BENCH_SERVER'] ?? join(ROOT, 'dist/infra/main.js'));
const UNBUNDLED = join(ROOT, 'dist/infra/unbundled.js');
/** A million dollars: no run spends it. */
const CREDIT_NANO_DOLLARS = '1000000000000000';
const FIRST_CALL_TIMEOUT_MS = 15_000;

const FirstRun = z.object({ baseUrl: z.url(), apiKey: z.string(), adminEmail: z.string(), adminPassword: z.string() });
type FirstRun = z.infer<typeof FirstRun>;

export interface ObliviousOptions {
  readonly log: 'postgres' | 'embedded';
  readonly upstream: string;
  /** Where its data directory and its output go. */
  readonly folder: string;
  /** How many processes answer calls; one, which does everything else as well, unless given. */
  readonly processes?: number;
  /** Runs each source's own file, by which a profile tells what is whose. */
  readonly unbundled?: boolean;
  /** Arguments for Node itself. */
  readonly nodeArgs?: readonly string[];
  /** Channels besides the one of OpenAI's that every benchmark has, as the console is told them. */
  readonly channels?: readonly object[];
  /** Settings besides those that every benchmark has. */
  readonly environment?: Readonly<Record<string, string>>;
}

interface Database {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A server of this benchmark's own that syncs to disk on every commit, as it would in earnest. */
const startDatabase = async (): Promise<Database> => {
  const server = await startPostgres({ settings: { fsync: 'on', synchronous_commit: 'on', shared_buffers: '256MB', max_wal_size: '2GB' } });
  const pid = Number(readFileSync(join(server.dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  return { url: server.connectionString, pid, stop: () => server.stop() };
};

const readFirstRun = (file: string): FirstRun | undefined =>
  existsSync(file) ? FirstRun.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;

const startProgram = (
  options: ObliviousOptions,
  home: string,
  firstRunFile: string,
  database: Database | undefined,
): Promise<RunningProcess> =>
  startServer({
    name: `oblivious-${options.log}`,
    args: [...(options.nodeArgs ?? []), options.unbundled === true ? UNBUNDLED : MAIN, 'start'],
    cwd: ROOT,
    environment: {
      PORT: '0',
      OBLIVIOUS_HOME: home,
      OBLIVIOUS_SANDBOX: 'off',
      ...(options.processes === undefined ? {} : { OBLIVIOUS_PROCESSES: String(options.processes) }),
      OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS: 'loopback',
      // The limits are on; they only lie above what is sent.
      OBLIVIOUS_REQUESTS_PER_MINUTE: '10000000',
      ...(database === undefined ? {} : { DATABASE_URL: database.url }),
      ...options.environment,
    },
    logFile: join(options.folder, `oblivious-${options.log}.log`),
    readyUrl: () => {
      // One of several processes may answer before the others can.
      if (
        options.processes !== undefined &&
        !readFileSync(join(options.folder, `oblivious-${options.log}.log`), 'utf8').includes(' is ready.')
      )
        return undefined;
      const firstRun = readFirstRun(firstRunFile);
      return firstRun === undefined ? undefined : new URL('/readyz', firstRun.baseUrl).href;
    },
  });

const openForCalls = async (origin: string, firstRun: FirstRun, upstream: string, channels: readonly object[]): Promise<void> => {
  const session = await signIn(origin, firstRun.adminEmail, firstRun.adminPassword);
  const models = [INSTANT_MODEL, SLOW_MODEL].map((model) => ({ model, upstreamModel: model }));
  await session.post('/channels', {
    settings: { name: 'mock', provider: 'openai', baseUrl: `${upstream}/v1`, models },
    secrets: ['sk-upstream'],
  });
  for (const settings of channels) await session.post('/channels', { settings, secrets: ['sk-upstream'] });
  await session.post(`/users/${session.userId}/credit`, { amount: CREDIT_NANO_DOLLARS, reason: 'benchmark' });
};

/** The relay learns of a new channel from the log, a moment after the console has answered. */
const waitForFirstCall = async (origin: string, headers: Record<string, string>): Promise<void> => {
  const body = JSON.stringify({ model: INSTANT_MODEL, messages: [{ role: 'user', content: 'ready?' }], max_tokens: 16 });
  const deadline = Date.now() + FIRST_CALL_TIMEOUT_MS;
  for (;;) {
    const response = await fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    const text = await response.text();
    if (response.ok) return;
    if (Date.now() > deadline) throw new Error(`Oblivious does not answer calls: ${response.status} ${text}`);
    await pause(100);
  }
};

/**
 * The built server as anybody would start it, on a PostgreSQL of its own or on its embedded profile, with one channel to the mock upstream
 * and enough credit. Nothing is switched off: keys, limits, routing, durable reservation and charge, access log, metrics.
 */
export const startOblivious = async (options: ObliviousOptions): Promise<Target> => {
  const name = `oblivious-${options.log}` as const;
  const home = join(options.folder, `${name}-home`);
  mkdirSync(home);
  const firstRunFile = join(home, 'first-run.json');
  const database = options.log === 'postgres' ? await startDatabase() : undefined;
  let server: RunningProcess | undefined;
  const stop = async (): Promise<void> => {
    await server?.stop();
    await database?.stop();
  };
  try {
    server = await startProgram(options, home, firstRunFile, database);
    const firstRun = FirstRun.parse(JSON.parse(readFileSync(firstRunFile, 'utf8')));
    const { origin } = new URL(firstRun.baseUrl);
    const headers = { authorization: `Bearer ${firstRun.apiKey}` };
    await openForCalls(origin, firstRun, options.upstream, options.channels ?? []);
    await waitForFirstCall(origin, headers);
    return {
      name,
      origin,
      headers,
      gatewayPids: [server.pid],
      databasePids: database === undefined ? [] : [database.pid],
      metricsUrl: `${origin}/metrics`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
