import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '../../commands/ports/event-log.ts';
import type { Failpoints } from '../../commands/ports/failpoints.ts';
import { openPostgresLog } from '../../infra/event-log/postgres/open-postgres-log.ts';
import { openSqliteLog } from '../../infra/event-log/sqlite/open-sqlite-log.ts';
import { auditRun, reportOf, type Findings } from '../support/auditor/audit-run.ts';
import { atRest } from '../support/auditor/at-rest.ts';
import { planCall } from '../support/load/call-plan.ts';
import { startLoad, type Load } from '../support/load/load.ts';
import { seededRandom, type Random } from '../support/load/random.ts';
import { testDatabase } from '../support/postgres.ts';
import { operatorOf, type TestModel } from '../support/server-process/operator.ts';
import { startServerProcess, type ServerProcess } from '../support/server-process/server-process.ts';
import { startUpstreamProcess } from '../support/server-process/upstream-process.ts';

export type FailpointName = Parameters<Failpoints['hit']>[0];

/** Every place at which a process can be made to die, and how often at most it passes it before. */
const PASSES: Readonly<Record<FailpointName, number>> = {
  'lease.granted': 2,
  'reservation.enqueued': 12,
  'reservation.durable': 12,
  'debit.enqueued': 12,
  'debit.durable': 12,
  'lease.closed': 1,
  'lease.settled': 1,
};

export const FAILPOINTS = Object.keys(PASSES) as readonly FailpointName[];

export interface CrashPlan {
  readonly profile: 'embedded' | 'postgres';
  /** Processes on one log; the embedded profile has one. */
  readonly gateways: number;
  /** Clients of each. */
  readonly clients: number;
  /** Kills at random moments. */
  readonly randomKills: number;
  /** Kills at failpoints, one for each name given. */
  readonly failpoints: readonly FailpointName[];
  /** How often a process is frozen for longer than its leases live, goes on as if nothing had been, and is killed only then. */
  readonly freezes: number;
  /** Longest life under load before a random kill, in ms. */
  readonly longestLifeMs: number;
  readonly seed: number;
  /** Told of each death as it comes. */
  readonly progress?: (line: string) => void;
}

export interface CrashReport {
  readonly findings: Findings;
  /** How many deaths of each kind: `random`, `freeze`, or the name of a failpoint. */
  readonly kills: Readonly<Record<string, number>>;
  readonly text: string;
}

type Death =
  | { readonly kind: 'random' | 'freeze'; readonly afterMs: number }
  | { readonly kind: 'failpoint'; readonly name: string; readonly nth: number };

const MODEL: TestModel = { model: 'crash-test', inputPerToken: 200, cachedPerToken: 50, outputPerToken: 700, maxOutputTokens: 4_096 };
const PRICES = { input: BigInt(MODEL.inputPerToken), cached: BigInt(MODEL.cachedPerToken), output: BigInt(MODEL.outputPerToken) };

/** Short, so that what the dead leave behind is swept while the test watches. */
const LEASE_SECONDS = 2;
const GRACE_SECONDS = 1;

/** Longer than a lease lives without its holder, and than it takes until somebody looks for such leases. */
const FROZEN_MS = (LEASE_SECONDS + GRACE_SECONDS) * 1_000 + 6_000;

/** Longest that a process may take to come to its failpoint under load, or the ledger to come to rest. */
const DEADLINE_MS = 90_000;

const nameOf = (death: Death): string => {
  switch (death.kind) {
    case 'failpoint':
      return `at ${death.name}:${death.nth}`;
    case 'freeze':
      return 'frozen, thawed and killed';
    case 'random':
      return `after ${death.afterMs} ms`;
  }
};

const deathsOf = ({ randomKills, failpoints, freezes, longestLifeMs }: CrashPlan, random: Random): Death[] => {
  const byChance = (kind: 'random' | 'freeze', count: number): Death[] =>
    Array.from({ length: count }, () => ({ kind, afterMs: random.between(20, longestLifeMs) }));
  const deaths: Death[] = [...byChance('random', randomKills), ...byChance('freeze', freezes)];
  for (const name of failpoints) deaths.push({ kind: 'failpoint', name, nth: random.between(1, PASSES[name]) });
  for (let index = deaths.length - 1; index > 0; index--) {
    const other = random.between(0, index);
    [deaths[index], deaths[other]] = [deaths[other] as Death, deaths[index] as Death];
  }
  return deaths;
};

const within = async <Result>(work: Promise<Result>, what: string): Promise<Result> => {
  const timeout = new AbortController();
  const late = pause(DEADLINE_MS, undefined, { signal: timeout.signal }).then(() => {
    throw new Error(`${what} did not happen within ${DEADLINE_MS} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    timeout.abort();
  }
};

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

/** A failpoint is armed when its process starts. */
const arming = (death: Death | undefined): Record<string, string> =>
  death?.kind === 'failpoint' ? { OBLIVIOUS_FAILPOINT: `${death.name}:${death.nth}` } : {};

/** Brings a server to its death and waits until it is gone. */
const die = async (server: ServerProcess, death: Death): Promise<void> => {
  if (death.kind !== 'failpoint') await pause(death.afterMs);
  if (death.kind === 'freeze') {
    server.signal('SIGSTOP');
    await pause(FROZEN_MS);
    server.signal('SIGCONT');
    await pause(death.afterMs);
  }
  const ending = await (death.kind === 'failpoint' ? within(server.ended, nameOf(death)) : server.kill());
  if (ending.signal !== 'SIGKILL') throw new Error(`a server ended by itself with ${JSON.stringify(ending)}:\n${server.output()}`);
};

/**
 * Kills servers with `kill -9` while clients call them, at random moments and at every named place between two steps of the
 * ledger; starts them again each time; and audits what the log, the upstream and the clients say of it in the end.
 */
export const runCrashes = async (plan: CrashPlan): Promise<CrashReport> => {
  const random = seededRandom(plan.seed);
  const folder = await mkdtemp(join(tmpdir(), 'oblivious-crash-'));
  const database = plan.profile === 'postgres' ? await testDatabase() : null;
  const upstream = await startUpstreamProcess(join(folder, 'upstream.jsonl'));
  const environment: Record<string, string> = {
    OBLIVIOUS_MASTER_KEY: randomBytes(32).toString('base64'),
    OBLIVIOUS_LEASE_SECONDS: String(LEASE_SECONDS),
    OBLIVIOUS_LEASE_GRACE_SECONDS: String(GRACE_SECONDS),
    OBLIVIOUS_SANDBOX: 'off',
    ...(database === null ? {} : { DATABASE_URL: database.url }),
  };
  const homes = Array.from({ length: plan.gateways }, (_, index) => join(folder, `home-${index}`));
  const servers: ServerProcess[] = [];
  const start = async (index: number, death: Death | undefined): Promise<ServerProcess> => {
    const server = await startServerProcess({
      home: homes[index] as string,
      environment: { ...environment, ...arming(death) },
      port: servers[index]?.port ?? 0,
    });
    servers[index] = server;
    return server;
  };
  const openLog = (): Promise<EventLog> =>
    database === null
      ? openSqliteLog({ file: join(homes[0] as string, 'events.sqlite') })
      : openPostgresLog({ connectionString: database.url });

  try {
    const deaths = deathsOf(plan, random);
    const queues = homes.map((_, index) => deaths.filter((_death, turn) => turn % plan.gateways === index));
    for (const [index, [first]] of queues.entries()) await start(index, first);
    const operator = await operatorOf(servers[0] as ServerProcess);
    await operator.publishPrices([MODEL]);
    await operator.addChannel(upstream.baseUrl, [MODEL]);
    const userId = await operator.createUser(1_000_000_000_000n);
    const apiKeys = await Promise.all([1, 2, 3].map(async () => (await operator.createKey(userId)).secret));

    let count = 0;
    const loads = servers.map(({ url }) =>
      startLoad({ url, apiKeys, clients: plan.clients, plan: () => planCall(count++, MODEL.model, random) }),
    );
    const recoveries: number[] = [];
    const kills: Record<string, number> = {};
    let died = 0;
    await Promise.all(
      queues.map(async (queue, index) => {
        const load = loads[index] as Load;
        for (const [turn, death] of queue.entries()) {
          const server = servers[index] as ServerProcess;
          // It serves before it dies, unless that is what it dies of.
          await within(Promise.race([load.complete(2), server.ended]), 'service');
          await die(server, death);
          const kind = death.kind === 'failpoint' ? death.name : death.kind;
          kills[kind] = (kills[kind] ?? 0) + 1;
          died++;
          const again = await start(index, queue[turn + 1]);
          recoveries.push(again.startedInMs);
          plan.progress?.(
            `${died}/${deaths.length} gateway ${index + 1} died ${nameOf(death)}, ready again in ${Math.round(again.startedInMs)} ms`,
          );
        }
        await within(load.complete(2), 'service in the end');
      }),
    );
    const clients = (await Promise.all(loads.map((load) => load.stop()))).flat();

    const log = await openLog();
    await within(atRest(log), 'the end of every lease').finally(() => log.close());
    const trial = await operator.request<{ difference: string }>('GET', '/ledger/trial-balance');
    const parked = await operator.request<{ rows: readonly unknown[] }>('GET', '/parked');
    for (const server of servers) {
      const { code } = await server.stop();
      if (code !== 0) throw new Error(`a server did not stop in order (${String(code)}):\n${server.output()}`);
    }

    const reader = await openLog();
    const audited = await auditRun({ log: reader, clients, upstream: await upstream.record(), prices: PRICES }).finally(() =>
      reader.close(),
    );
    const findings: Findings = {
      ...audited,
      violations: [
        ...audited.violations,
        ...(trial.difference === '0' ? [] : [`the read models' trial balance is off by ${trial.difference}`]),
        ...(parked.rows.length === 0 ? [] : [`${parked.rows.length} events are parked`]),
      ],
    };
    const title = `crashes, ${plan.profile} profile, ${plan.gateways} gateway${plan.gateways > 1 ? 's' : ''}, seed ${plan.seed}`;
    const byKind = Object.entries(kills).map(([kind, times]) => `${kind} ×${times}`);
    const text = reportOf(title, findings, [
      ['kills', `${died}: ${byKind.join(', ')}`],
      ['recovery', `median ${Math.round(median(recoveries))} ms, longest ${Math.round(Math.max(0, ...recoveries))} ms from start to ready`],
    ]);
    return { findings, kills, text };
  } finally {
    for (const server of servers) server.signal('SIGCONT');
    await Promise.all(servers.map((server) => server.kill()));
    await upstream.stop();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  }
};
