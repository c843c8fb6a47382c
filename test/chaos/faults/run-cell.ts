import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { atRest } from '../../support/auditor/at-rest.ts';
import { auditRun } from '../../support/auditor/audit-run.ts';
import { planCall } from '../../support/load/call-plan.ts';
import type { ClientCall } from '../../support/load/client-call.ts';
import { startLoad, type Load } from '../../support/load/load.ts';
import { seededRandom } from '../../support/load/random.ts';
import type { Operator, TestModel } from '../../support/server-process/operator.ts';
import type { Cell } from './cell.ts';
import { NotHere, startCluster, type Cluster } from './cluster.ts';

/** What became of a cell. */
export interface CellOutcome {
  readonly cell: Cell;
  /** Why it was not run, where it was not. */
  readonly leftOut?: string;
  readonly how: string;
  /** Calls that began while the fault lasted, by what their clients saw. */
  readonly meanwhile: Readonly<Record<ClientCall['seen'], number>>;
  /** From the end of the fault until every process has completed a call that began after it. */
  readonly servedAfterMs: number;
  /** From the end of the fault until the read models were where the log was at that end. */
  readonly shownAfterMs: number;
  readonly complete: number;
  /** Everything that breaks a rule, in words. */
  readonly violations: readonly string[];
}

const MODEL: TestModel = { model: 'faulty', inputPerToken: 200, cachedPerToken: 50, outputPerToken: 700, maxOutputTokens: 4_096 };
const PRICES = { input: 200n, cached: 50n, output: 700n };

/** Clients of each process. */
const CLIENTS = 4;
/** Calls that each process completes before it is struck. */
const BEFORE = 15;
const AFTER = 10;
/** What a process may take to serve again, or the ledger to come to rest. */
const DEADLINE_MS = 90_000;
const LOOK_MS = 50;
/** What was recorded before the fault may reach its client a little after. */
const ON_ITS_WAY_MS = 100;

const within = async <Result>(work: Promise<Result>, what: string): Promise<Result> => {
  const over = new AbortController();
  const late = pause(DEADLINE_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what} did not happen within ${DEADLINE_MS / 1_000} s`);
  });
  late.catch(() => undefined);
  return Promise.race([work, late]).finally(() => over.abort());
};

interface ShownProjection {
  readonly name: string;
  readonly position: string;
}

const projectionsOf = async (operator: Operator): Promise<readonly ShownProjection[]> =>
  (await operator.request<{ readonly rows: readonly ShownProjection[] }>('GET', '/projections')).rows;

/** Resolves when all read models have come so far, or nobody waits any more. The console may be as struck as the rest of it. */
const shownUpTo = async (operator: Operator, head: bigint, over: AbortSignal): Promise<void> => {
  while (!over.aborted) {
    const shown = await projectionsOf(operator).catch(() => []);
    if (shown.length > 0 && shown.every(({ position }) => BigInt(position) >= head)) return;
    await pause(LOOK_MS);
  }
};

/** Every read model against one made anew from the log. */
const differences = async (operator: Operator): Promise<string[]> => {
  const found: string[] = [];
  for (const { name } of await projectionsOf(operator)) {
    const compare = (): Promise<{ readonly equal: boolean }> => operator.request('POST', `/projections/${name}/compare`);
    const first = await compare();
    if (!first.equal)
      found.push(`the read model ${name} differs from a rebuild: ${JSON.stringify(first)}, and again: ${JSON.stringify(await compare())}`);
  }
  return found;
};

const seenOf = (calls: readonly ClientCall[]): Record<ClientCall['seen'], number> => {
  const count = { complete: 0, refused: 0, left: 0, broken: 0 };
  for (const { seen } of calls) count[seen]++;
  return count;
};

const servingViolation = ({ serving }: Cell, completed: readonly number[]): string | undefined => {
  const told = `calls completed meanwhile: ${completed.join(', ')}`;
  switch (serving) {
    case 'every':
      return completed.every((count) => count > 0) ? undefined : `not every process served (${told})`;
    case 'some':
      return completed.some((count) => count > 0) ? undefined : `no process served (${told})`;
    case 'none':
      return completed.every((count) => count === 0) ? undefined : `calls were served that cannot have been recorded (${told})`;
    case 'open':
      return undefined;
  }
};

const watch = async (cell: Cell, cluster: Cluster, seed: number): Promise<CellOutcome> => {
  const { operator, members, upstream } = cluster;
  const random = seededRandom(seed);
  const userId = await operator.createUser(1_000_000_000_000n);
  const apiKeys = [(await operator.createKey(userId)).secret];
  let planned = 0;
  const loads: readonly Load[] = members
    .filter(({ relays }) => relays)
    .map(({ url }) => startLoad({ url, apiKeys, clients: CLIENTS, plan: () => planCall(planned++, MODEL.model, random) }));
  const violations: string[] = [];
  const over = new AbortController();
  let log: EventLog | undefined;
  try {
    await within(Promise.all(loads.map((load) => load.complete(BEFORE))), 'service before the fault');

    const struckAt = performance.now();
    await cell.strike(cluster);
    await pause(cell.lastsMs);
    const endedAt = performance.now();
    await cell.heal(cluster);
    const head = await cluster.openLog().then(async (opened) => {
      log = opened;
      return opened.head();
    });
    const shown = shownUpTo(operator, head, over.signal).then(() => performance.now() - endedAt);
    const served = Promise.all(
      loads.map(async (load) => {
        const again = (): ClientCall | undefined =>
          load.calls.find((call) => call.seen === 'complete' && call.endedAt - call.tookMs > endedAt);
        while (!over.signal.aborted) {
          const first = again();
          if (first !== undefined) return first.endedAt - endedAt;
          await pause(LOOK_MS);
        }
        return NaN;
      }),
    );
    const [servedAfterMs, shownAfterMs] = await within(Promise.all([served, shown]), 'service after the fault');
    await within(Promise.all(loads.map((load) => load.complete(AFTER))), 'lasting service after the fault');

    const began = ({ endedAt: end, tookMs }: ClientCall): number => end - tookMs;
    const during = loads.map((load) => load.calls.filter((call) => began(call) > struckAt && began(call) <= endedAt));
    const completed = during.map(
      (calls) =>
        calls.filter((call) => call.seen === 'complete' && began(call) > struckAt + ON_ITS_WAY_MS && call.endedAt <= endedAt).length,
    );
    const wrong = servingViolation(cell, completed);
    if (wrong !== undefined) violations.push(wrong);

    const clients = (await Promise.all(loads.map((load) => load.stop()))).flat();
    await within(atRest(log as EventLog), 'the end of every lease');
    await within(shownUpTo(operator, await (log as EventLog).head(), over.signal), 'the read models’ coming to the head of the log');
    violations.push(...(await differences(operator)));
    const trial = await operator.request<{ readonly difference: string }>('GET', '/ledger/trial-balance');
    if (trial.difference !== '0') violations.push(`the trial balance is off by ${trial.difference}`);
    const parked = await operator.request<{ readonly rows: readonly unknown[] }>('GET', '/parked');
    if (parked.rows.length > 0) violations.push(`${parked.rows.length} events are parked`);
    const audited = await auditRun({ log: log as EventLog, clients, upstream: await upstream.record(), prices: PRICES });
    violations.push(...audited.violations);
    return {
      cell,
      how: cell.how?.(cluster) ?? '',
      meanwhile: seenOf(during.flat()),
      servedAfterMs: Math.max(...servedAfterMs),
      shownAfterMs,
      complete: audited.answers.seen.complete,
      violations,
    };
  } finally {
    over.abort();
    void Promise.all(loads.map((load) => load.stop()));
    await log?.close();
  }
};

const NOTHING = { meanwhile: { complete: 0, refused: 0, left: 0, broken: 0 }, servedAfterMs: NaN, shownAfterMs: NaN, complete: 0, how: '' };

/** Starts a cluster, strikes it under load, heals it, and finds out what is true afterwards. */
export const runCell = async (cell: Cell, seed: number): Promise<CellOutcome> => {
  let cluster: Cluster;
  try {
    cluster = await startCluster(cell.plan, [MODEL]);
  } catch (error) {
    if (error instanceof NotHere) return { cell, ...NOTHING, leftOut: error.message, violations: [] };
    throw error;
  }
  try {
    return await watch(cell, cluster, seed);
  } catch (error) {
    const outputs = cluster.members.map((member) => `${member.name}:\n${member.current().output().slice(-2_000)}`);
    return { cell, ...NOTHING, violations: [`${error instanceof Error ? error.message : String(error)}\n${outputs.join('\n')}`] };
  } finally {
    await cluster.remove();
  }
};
