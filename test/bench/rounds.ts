import { setTimeout as pause } from 'node:timers/promises';
import { chargeBuckets, chargeWait } from './durable-wait.ts';
import type { Buckets } from './durable-wait.ts';
import type { LoadJob, Measurement } from './load-job.ts';
import { cpuSeconds, machineBusySeconds, withDescendants } from './process-cpu.ts';
import { Results } from './results.ts';
import type { Scenario } from './scenarios.ts';
import type { Helper } from './server-process.ts';
import type { Target } from './target.ts';

/** A window is worth keeping while other work takes less than this. */
export const QUIET_CORES = 0.3;
const GLANCE_MS = 300;
const LONGEST_WAIT_MS = 6_000;
const MOST_REPEATS = 2;

export interface RoundsContext {
  readonly generator: Helper;
  readonly targets: readonly Target[];
  /** Milliseconds that may be spent on waiting for quiet and on measuring again. */
  readonly patienceMs: number;
  /** Ends the rounds early. */
  readonly signal: AbortSignal;
  progress(line: string): void;
}

/** How long the rounds take when nothing is waited for or repeated. */
export const plannedMs = (all: readonly Scenario[]): number =>
  all
    .map(({ targets, rounds, prewarmMs, warmupMs, windowMs }) => targets.length * (prewarmMs + rounds * (warmupMs + windowMs + GLANCE_MS)))
    .reduce((sum, ms) => sum + ms, 0);

const readChargeBuckets = async ({ metricsUrl }: Target): Promise<Buckets | undefined> => {
  if (metricsUrl === undefined) return undefined;
  const response = await fetch(metricsUrl);
  if (!response.ok) throw new Error(`${metricsUrl}: ${response.status}`);
  return chargeBuckets(await response.text());
};

/**
 * Runs every scenario: each target is warmed up, then the targets take turns, in one round forwards and in the next backwards, so that a
 * drift of the machine falls on all alike. A window with other work on the machine is measured again, as long as patience lasts, and the
 * quietest is kept.
 */
export const runRounds = async (all: readonly Scenario[], context: RoundsContext): Promise<Results> => {
  const results = new Results();
  let { patienceMs } = context;

  const measure = async (scenario: Scenario, target: Target, warmupMs: number, windowMs: number): Promise<Measurement> => {
    const job: LoadJob = {
      origin: target.origin,
      headers: target.headers,
      model: scenario.model,
      streamed: scenario.streamed,
      connections: scenario.connections,
      warmupMs,
      windowMs,
      gatewayPids: target.gatewayPids,
      databasePids: target.databasePids,
    };
    context.signal.throwIfAborted();
    const before = await readChargeBuckets(target);
    context.generator.tell(job);
    const measured = (await context.generator.hear()) as Measurement;
    const after = await readChargeBuckets(target);
    return before === undefined || after === undefined ? measured : { ...measured, chargeDurable: chargeWait(before, after) };
  };

  const foreignCores = async (): Promise<number> => {
    const ours = withDescendants([process.pid]);
    const reading = (): number => machineBusySeconds() - cpuSeconds(ours);
    const before = reading();
    await pause(GLANCE_MS);
    return Math.max(0, reading() - before) / (GLANCE_MS / 1000);
  };

  const waitForQuiet = async (): Promise<void> => {
    const leaveMs = patienceMs - LONGEST_WAIT_MS;
    while ((await foreignCores()) > QUIET_CORES && patienceMs > Math.max(0, leaveMs)) patienceMs -= GLANCE_MS;
  };

  const measureQuietly = async (scenario: Scenario, target: Target): Promise<Measurement> => {
    const costMs = scenario.warmupMs + scenario.windowMs;
    await waitForQuiet();
    let kept = await measure(scenario, target, scenario.warmupMs, scenario.windowMs);
    for (let repeat = 0; repeat < MOST_REPEATS && kept.foreignCores > QUIET_CORES && patienceMs > costMs; repeat += 1) {
      patienceMs -= costMs;
      await waitForQuiet();
      const again = await measure(scenario, target, scenario.warmupMs, scenario.windowMs);
      if (again.foreignCores < kept.foreignCores) kept = again;
    }
    return kept;
  };

  for (const scenario of all) {
    const targets = context.targets.filter(({ name }) => scenario.targets.includes(name));
    for (const target of targets) await measure(scenario, target, scenario.prewarmMs / 2, scenario.prewarmMs / 2);
    for (let round = 1; round <= scenario.rounds; round += 1) {
      for (const target of round % 2 === 1 ? targets : targets.toReversed()) {
        const measured = await measureQuietly(scenario, target);
        results.add(scenario.name, target.name, measured);
        context.progress(
          `${scenario.name} ${round}/${scenario.rounds} ${target.name}: ${measured.callsPerSecond.toFixed(0)} calls/s, ` +
            `${measured.cpuSecondsPer1000.toFixed(3)} CPU-s per 1000, p50 ${measured.call.p50Ms.toFixed(2)} ms, foreign ${measured.foreignCores.toFixed(2)}`,
        );
      }
    }
  }
  return results;
};
