import { parseArgs } from 'node:util';
import { quickScenarios, SCENARIOS, scenarios } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { TARGETS } from './target.ts';
import type { TargetName } from './target.ts';

export const HELP = `Measures what Oblivious costs beside a bare proxy and another gateway, all on this machine.

usage: make bench
       npx tsx test/bench/main.ts [--quick] [--only names] [--rounds n] [--logs folder]

  --quick         a minute and a half instead of about seven; rough figures
  --only names    only these targets or scenarios, commas between them
                  targets: ${TARGETS.join(', ')}
                  scenarios: ${SCENARIOS.join(', ')}
  --rounds n      rounds of every scenario
  --logs folder   keep what the servers print
  --help          this

  BENCH_JSON=file           write the medians there as JSON
  BENCH_SERVER=main.js      measure this build of the server instead of the one in dist/
  BENCH_WITHOUT_PORTKEY=1   leave Portkey out; otherwise it is installed from npm on first use

Needs Linux, the built server (make build) and PostgreSQL's binaries. docs/benchmarks.md tells how to read the table.
`;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly targets: readonly TargetName[];
  readonly logFolder: string | undefined;
  readonly jsonFile: string | undefined;
  /** The whole run should be over by then. */
  readonly budgetMs: number;
}

export class UsageError extends Error {}

const chosen = <Name extends string>(all: readonly Name[], names: readonly string[]): readonly Name[] => {
  const some = all.filter((name) => names.includes(name));
  return some.length === 0 ? all : some;
};

const parsed = (args: string[]): { quick: boolean; only: string; rounds?: string; logs?: string; help: boolean } => {
  try {
    return parseArgs({
      args,
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string', default: '' },
        rounds: { type: 'string' },
        logs: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

/** What the command line asks for, or `help`. Throws {@link UsageError}. */
export const readOptions = (args: string[], environment: NodeJS.ProcessEnv): Options | 'help' => {
  const values = parsed(args);
  if (values.help) return 'help';
  const only = values.only.split(',').filter(Boolean);
  const known: readonly string[] = [...SCENARIOS, ...TARGETS];
  const unknown = only.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`no such target or scenario: ${unknown.join(', ')}`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) throw new UsageError('--rounds takes a whole number above 0');
  const wanted = chosen(SCENARIOS, only);
  const targets = chosen(TARGETS, only).filter((name) => name !== 'portkey' || environment['BENCH_WITHOUT_PORTKEY'] !== '1');
  return {
    scenarios: (values.quick ? quickScenarios() : scenarios)
      .filter(({ name }) => wanted.includes(name))
      .map((scenario) => ({
        ...scenario,
        rounds: rounds ?? scenario.rounds,
        targets: scenario.targets.filter((name) => targets.includes(name)),
      }))
      .filter((scenario) => scenario.targets.length > 0),
    targets,
    logFolder: values.logs,
    jsonFile: environment['BENCH_JSON'] === '' ? undefined : environment['BENCH_JSON'],
    budgetMs: values.quick ? 90_000 : 480_000,
  };
};
