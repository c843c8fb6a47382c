import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allowedExponent, exponentOf, growsAsItShould } from './growth.ts';
import { ofAccounts } from './of-accounts.ts';
import { ofChannels } from './of-channels.ts';
import { ofEvents } from './of-events.ts';
import { ofGateways, ofProjectors } from './of-processes.ts';
import type { Series } from './series.ts';

const HELP = `How costs grow: calls over gateway processes, events over projectors, and over a log, accounts and channels that double.

  make bench-scale
  tsx test/bench/scale/main.ts [--small] [--only gateways,projectors,events,accounts,channels]

--small takes a sixteenth of everything, for a look at whether it runs; what it fits is not judged then. BENCH_JSON=file keeps the figures. Ends with an error when a cost
grows faster than n log n (or than log n, where it should be flat).
`;

const { values } = parseArgs({
  options: { small: { type: 'boolean', default: false }, only: { type: 'string' }, help: { type: 'boolean', default: false } },
});

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const micros = (seconds: number): string => (seconds >= 0.1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1e6).toFixed(1)} µs`);

const tableOf = (series: readonly Series[]): string =>
  [
    row(['what', 'n', 'cost', 'a second', 'fitted', 'allowed', '']),
    row(['---', '---:', '---:', '---:', '---:', '---:', '---']),
    ...series.flatMap(({ name, of, growth, cost, points }) =>
      points.map(({ n, cost: used, perSecond, note }, i) =>
        row([
          i === 0 ? `${name}: ${cost}, over ${of}` : '',
          n.toLocaleString('en'),
          micros(used),
          perSecond === undefined ? '' : Math.round(perSecond).toLocaleString('en'),
          i === 0 ? `n^${exponentOf(points).toFixed(2)}` : '',
          i === 0 ? `n^${allowedExponent(points, growth).toFixed(2)}` : '',
          note ?? '',
        ]),
      ),
    ),
  ].join('\n');

const run = async (): Promise<boolean> => {
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-scale-'));
  const size = (whole: number): number => (values.small ? whole / 16 : whole);
  const windowMs = values.small ? 1_500 : 5_000;
  const own = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  const parts: Readonly<Record<string, () => Promise<readonly Series[]>>> = {
    gateways: () => ofGateways(own('gateways'), windowMs, size(1)),
    projectors: () => ofProjectors(own('projectors'), size(160_000)),
    events: () => ofEvents(size(1_000_000)),
    accounts: () => ofAccounts(size(100_000)),
    channels: () => ofChannels(own('channels'), size(10_000), windowMs),
  };
  const chosen = values.only?.split(',') ?? Object.keys(parts);
  const unknown = chosen.filter((name) => parts[name] === undefined);
  if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  const all: Series[] = [];
  try {
    for (const name of chosen) {
      const since = performance.now();
      all.push(...((await parts[name]?.()) ?? []));
      process.stderr.write(`${name}: ${((performance.now() - since) / 1_000).toFixed(0)} s\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(
    `\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}\n\n${tableOf(all)}\n`,
  );
  const file = process.env['BENCH_JSON'];
  if (file !== undefined) {
    const rows = all.map((series) => ({
      ...series,
      exponent: exponentOf(series.points),
      allowed: allowedExponent(series.points, series.growth),
    }));
    writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
  }
  const failed = all.filter(({ points, growth }) => !growsAsItShould(points, growth));
  for (const { name, of } of failed) process.stderr.write(`*** ${name} grows too fast over ${of}\n`);
  // Small sizes are over before anything has settled.
  return values.small || failed.length === 0;
};

if (values.help) process.stdout.write(HELP);
else process.exitCode = (await run()) ? 0 : 1;
