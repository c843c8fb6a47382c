import type { Goal } from './goals.ts';
import type { Measurement } from './load-job.ts';
import { STREAM_CHUNKS } from './mock-models.ts';
import type { Results } from './results.ts';
import { QUIET_CORES } from './rounds.ts';
import type { Scenario } from './scenarios.ts';
import type { TargetName } from './target.ts';

/** One line of the JSON report; all figures are medians over the rounds. */
export interface ReportRow {
  readonly scenario: string;
  readonly target: TargetName;
  readonly callsPerSecond: number;
  /** Of the gateway process; its database is not in it. */
  readonly cpuSecondsPer1000: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Column {
  readonly title: string;
  readonly cell: (target: TargetName) => string;
}

const digits = (value: number | undefined): string => {
  if (value === undefined || !Number.isFinite(value)) return '-';
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3);
};

const table = (columns: readonly Column[], targets: readonly TargetName[]): string => {
  const rows = [columns.map(({ title }) => title), ...targets.map((target) => columns.map(({ cell }) => cell(target)))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`,
  );
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
};

const columnsOf = (scenario: Scenario, results: Results): readonly Column[] => {
  const figure = (title: string, of: (m: Measurement) => number | undefined): Column => ({
    title,
    cell: (target) => digits(results.median(scenario.name, target, of)),
  });
  const besidePortkey = (title: string, of: (m: Measurement) => number): Column => ({
    title,
    cell: (target) => digits(results.compared(scenario.name, target, 'portkey', of, (a, b) => a / b)),
  });
  const perChunk = (seconds: number): number => (seconds / STREAM_CHUNKS) * 1e3;
  const shared = [figure('charge durable p50 ms', (m) => m.chargeDurable?.p50Ms), figure('foreign cores', (m) => m.foreignCores)];
  const name = { title: 'target', cell: (target: TargetName) => target };
  if (scenario.streamed)
    return [
      name,
      figure('calls/s', (m) => m.callsPerSecond),
      figure('first token p50 ms', (m) => m.firstToken?.p50Ms),
      figure('p99', (m) => m.firstToken?.p99Ms),
      figure('chunk transit p50 ms', (m) => m.transit?.p50Ms),
      figure('p99', (m) => m.transit?.p99Ms),
      figure('CPU µs/chunk', (m) => perChunk(m.cpuSecondsPer1000)),
      besidePortkey('× Portkey', (m) => m.cpuSecondsPer1000),
      figure('database', (m) => perChunk(m.databaseCpuSecondsPer1000)),
      ...shared,
    ];
  return [
    name,
    figure('calls/s', (m) => m.callsPerSecond),
    besidePortkey('× Portkey', (m) => m.callsPerSecond),
    figure('p50 ms', (m) => m.call.p50Ms),
    figure('p99', (m) => m.call.p99Ms),
    figure('CPU s/1000', (m) => m.cpuSecondsPer1000),
    besidePortkey('× Portkey', (m) => m.cpuSecondsPer1000),
    figure('database', (m) => m.databaseCpuSecondsPer1000),
    ...shared,
  ];
};

const verdict = (met: boolean | undefined): string => (met === undefined ? 'not measured' : met ? 'PASS' : 'FAIL');

/** The tables and what they say about the goals, for people. */
export const reportText = (scenarios: readonly Scenario[], results: Results, goals: readonly Goal[]): string => {
  const tables = scenarios.map((scenario) => {
    const measured = scenario.targets.filter((target) => results.of(scenario.name, target).length > 0);
    const noisy = measured.filter((target) => (results.median(scenario.name, target, (m) => m.foreignCores) ?? 0) > QUIET_CORES);
    const warning =
      noisy.length === 0 ? '' : `\nOther work on the machine spoiled this: ${noisy.join(', ')}. Measure again when it is quiet.\n`;
    return `${scenario.name}: ${scenario.about}; medians of ${scenario.rounds} rounds\n\n${table(columnsOf(scenario, results), measured)}\n${warning}`;
  });
  const lines = goals.map(
    ({ text, reached, unit, met }) =>
      `${verdict(met).padEnd(12)}  ${text}${reached === undefined ? '' : ` - reached ${digits(reached)} ${unit}`}`,
  );
  return `${tables.join('\n')}\ngoals\n\n${lines.join('\n')}\n`;
};

/**
 * The same for programs. Rows of one scenario and target differ in what their `p50Ms` and `p99Ms` are of: the whole call, or what the name
 * of the scenario ends in.
 */
export const reportRows = (scenarios: readonly Scenario[], results: Results): readonly ReportRow[] =>
  scenarios.flatMap((scenario) =>
    scenario.targets.flatMap((target) => {
      const medianOf = (figure: (m: Measurement) => number | undefined): number | undefined =>
        results.median(scenario.name, target, figure);
      const row = (suffix: string, times: 'call' | 'firstToken' | 'transit' | 'chargeDurable'): ReportRow[] => {
        const figures = {
          callsPerSecond: medianOf((m) => m.callsPerSecond) ?? Number.NaN,
          cpuSecondsPer1000: medianOf((m) => m.cpuSecondsPer1000) ?? Number.NaN,
          p50Ms: medianOf((m) => m[times]?.p50Ms) ?? Number.NaN,
          p99Ms: medianOf((m) => m[times]?.p99Ms) ?? Number.NaN,
        };
        return Object.values(figures).every(Number.isFinite) ? [{ scenario: scenario.name + suffix, target, ...figures }] : [];
      };
      return [
        ...row('', 'call'),
        ...row(' (first token)', 'firstToken'),
        ...row(' (chunk transit)', 'transit'),
        ...row(' (charge durable)', 'chargeDurable'),
      ];
    }),
  );
