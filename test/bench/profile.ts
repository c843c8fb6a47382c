/** Where the server's time goes: runs it under load with V8's profiler on and prints the functions that took most. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { summarise } from './cpu-profile.ts';
import type { Hot } from './cpu-profile.ts';
import type { LoadJob, Measurement } from './load-job.ts';
import { INSTANT_MODEL } from './mock-models.ts';
import { startOblivious } from './oblivious.ts';
import { listeningOn, startHelper } from './server-process.ts';
import { monotonicMicros } from './stamp.ts';

const HELP = `Prints where the time of a loaded server goes, thread by thread.

usage: npx tsx test/bench/profile.ts [--stream] [--embedded] [--connections n] [--warmup n] [--seconds n] [--top n] [--keep folder]

  --stream         paced streams instead of plain calls
  --embedded       the embedded profile instead of PostgreSQL
  --connections n  64 unless given
  --warmup n       seconds of load before it begins, 15 unless given
  --seconds n      length of the profile, 8 unless given
  --top n          lines of each list, 40 unless given
  --keep folder    leave the .cpuprofile files there
`;

/** Threads that did less than this share of the time are not worth a list. */
const LEAST_BUSY = 0.02;

const { values } = parseArgs({
  options: {
    stream: { type: 'boolean', default: false },
    embedded: { type: 'boolean', default: false },
    connections: { type: 'string', default: '64' },
    warmup: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '8' },
    top: { type: 'string', default: '40' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const printHot = (title: string, all: readonly Hot[]): void => {
  print(`\n  ${title}`);
  for (const { place, share } of all.slice(0, Number(values.top))) print(`  ${(share * 100).toFixed(1).padStart(6)} %  ${place}`);
};

const printProfiles = (folder: string, from: number, to: number): void => {
  for (const file of readdirSync(folder).sort()) {
    // CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile
    const thread = Number(file.split('.')[4]);
    const summary = summarise(readFileSync(join(folder, file), 'utf8'), from, to);
    if (summary.busy / summary.elapsed < LEAST_BUSY) continue;
    print(
      `\n${thread === 0 ? 'main thread' : `worker thread ${thread}`}: at work ${((summary.busy / summary.elapsed) * 100).toFixed(0)} % of the time`,
    );
    printHot('by origin', summary.origin);
    printHot('by function, itself', summary.self);
    printHot('by function of the project, with what it calls', summary.total);
  }
};

const profile = async (folder: string): Promise<void> => {
  const profiles = join(folder, 'profiles');
  mkdirSync(profiles);
  const mock = startHelper('./mock-upstream.ts');
  const generator = startHelper('./load-generator.ts');
  try {
    const target = await startOblivious({
      log: values.embedded ? 'embedded' : 'postgres',
      upstream: await listeningOn(mock),
      folder,
      unbundled: true,
      nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval=500'],
    });
    const windowMs = Number(values.seconds) * 1000;
    let measured: Measurement;
    let to: number;
    try {
      const job: LoadJob = {
        origin: target.origin,
        headers: target.headers,
        model: INSTANT_MODEL,
        streamed: values.stream,
        connections: Number(values.connections),
        warmupMs: Number(values.warmup) * 1000,
        windowMs,
        gatewayPids: target.gatewayPids,
        databasePids: target.databasePids,
      };
      generator.tell(job);
      measured = (await generator.hear()) as Measurement;
      to = monotonicMicros();
    } finally {
      // The profiles are written when the server ends.
      await target.stop();
    }
    print(
      `${target.name}: ${measured.callsPerSecond.toFixed(0)} calls/s, ${measured.cpuSecondsPer1000.toFixed(3)} CPU-s per 1000 (profiler included), ` +
        `database ${measured.databaseCpuSecondsPer1000.toFixed(3)}, p50 ${measured.call.p50Ms.toFixed(2)} ms, failures ${JSON.stringify(measured.failures)}`,
    );
    printProfiles(profiles, to - windowMs * 1000, to);
  } finally {
    await generator.stop();
    await mock.stop();
  }
};

if (values.help) {
  print(HELP);
} else {
  const folder = mkdtempSync(join(values.keep ?? tmpdir(), 'oblivious-profile-'));
  try {
    await profile(folder);
  } finally {
    if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}
