/** `make bench`: starts everything on this machine, measures it by turns, prints a table, and stops everything. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { goals } from './goals.ts';
import { startOblivious } from './oblivious.ts';
import { HELP, readOptions, UsageError } from './options.ts';
import type { Options } from './options.ts';
import { PortkeyUnavailable, startPortkey } from './portkey.ts';
import { reportRows, reportText } from './report.ts';
import { plannedMs, runRounds } from './rounds.ts';
import { listeningOn, startHelper } from './server-process.ts';
import type { Target, TargetName } from './target.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

interface Bench {
  readonly upstream: { readonly origin: string; readonly pid: number };
  /** Data directories and output of what is started. */
  readonly folder: string;
}

const startBareProxy = async ({ upstream }: Bench): Promise<Target> => {
  const helper = startHelper('./bare-proxy.ts', [upstream.origin]);
  return {
    name: 'bare-proxy',
    origin: await listeningOn(helper),
    headers: {},
    gatewayPids: [helper.pid],
    databasePids: [],
    stop: () => helper.stop(),
  };
};

const startTarget: Readonly<Record<TargetName, (bench: Bench) => Promise<Target>>> = {
  direct: async ({ upstream }) => ({
    name: 'direct',
    origin: upstream.origin,
    headers: {},
    gatewayPids: [upstream.pid],
    databasePids: [],
    stop: () => Promise.resolve(),
  }),
  'bare-proxy': startBareProxy,
  'oblivious-postgres': ({ upstream, folder }) => startOblivious({ log: 'postgres', upstream: upstream.origin, folder }),
  'oblivious-embedded': ({ upstream, folder }) => startOblivious({ log: 'embedded', upstream: upstream.origin, folder }),
  portkey: ({ upstream, folder }) => startPortkey(upstream.origin, folder),
};

/** Runs it all and answers whether everything that was to be measured was, and is as good as it should be. */
const bench = async (options: Options, folder: string, signal: AbortSignal): Promise<boolean> => {
  const startedAt = Date.now();
  const running: { stop(): Promise<void> }[] = [];
  let complete = true;
  try {
    const mock = startHelper('./mock-upstream.ts');
    running.push(mock);
    const generator = startHelper('./load-generator.ts');
    running.push(generator);
    const started: Bench = { upstream: { origin: await listeningOn(mock), pid: mock.pid }, folder };
    const targets: Target[] = [];
    for (const name of options.targets) {
      say(`starting ${name}`);
      try {
        const target = await startTarget[name](started);
        targets.push(target);
        running.push(target);
      } catch (error) {
        if (!(error instanceof PortkeyUnavailable)) throw error;
        complete = false;
        say(`\n*** PORTKEY IS MISSING: ${error.message}\n*** Its rows are left out. BENCH_WITHOUT_PORTKEY=1 says that this is meant.\n`);
      }
    }
    const patienceMs = options.budgetMs - (Date.now() - startedAt) - plannedMs(options.scenarios);
    const results = await runRounds(options.scenarios, { generator, targets, patienceMs, signal, progress: say });
    const judged = goals(results);
    process.stdout.write(`\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}\n\n`);
    process.stdout.write(reportText(options.scenarios, results, judged));
    if (options.jsonFile !== undefined)
      writeFileSync(options.jsonFile, `${JSON.stringify(reportRows(options.scenarios, results), null, 2)}\n`);
    for (const failure of results.failures()) say(`*** calls failed: ${failure}`);
    return complete && results.failures().length === 0 && judged.every(({ met }) => met !== false);
  } finally {
    for (const one of running.reverse()) await one.stop();
  }
};

class Interrupted extends Error {}

/** Aborted by the first interrupt, so that everything is stopped in order; a second one ends this process at once. */
const stopSignal = (): AbortSignal => {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new Interrupted());
    });
  return controller.signal;
};

const run = async (): Promise<number> => {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (!existsSync('/proc/self/stat')) throw new UsageError('CPU times are read from /proc: this needs Linux');
  const kept = options.logFolder === undefined ? undefined : resolve(options.logFolder);
  if (kept !== undefined) mkdirSync(kept, { recursive: true });
  const folder = mkdtempSync(join(kept ?? tmpdir(), 'oblivious-gateway-bench-'));
  try {
    return (await bench(options, folder, stopSignal())) ? 0 : 1;
  } finally {
    if (kept === undefined) rmSync(folder, { recursive: true, force: true });
  }
};

try {
  process.exitCode = await run();
} catch (error) {
  process.exitCode = error instanceof Interrupted ? 130 : 2;
  if (error instanceof Interrupted) say('interrupted');
  else if (error instanceof UsageError) say(`${error.message}\n\n${HELP}`);
  else say(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
