import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { INSTANT_MODEL } from '../mock-models.ts';
import { startOblivious } from '../oblivious.ts';
import { cpuSeconds } from '../process-cpu.ts';
import { listeningOn, startHelper } from '../server-process.ts';
import type { ListenJob, Listening } from './listeners.ts';

const HELP = `Holds thousands of streams open that say nothing, in one process, and tells what that takes.

  make bench-streams
  tsx test/bench/streams/main.ts [--count n] [--prompt bytes]

Each stream is a file on both sides of the server, so 10 000 of them need a limit of 20 100 open files (ulimit -Hn). Where it is lower, as many are opened as
it allows, and what they take is reckoned up to 10 000. Ends with an error when a stream does not begin, or when 10 000 take more than 400 MB.
`;

const { values } = parseArgs({
  options: { count: { type: 'string' }, prompt: { type: 'string', default: '12' }, help: { type: 'boolean', default: false } },
});

/** What a process has open besides: connections to its database, libraries, pipes. */
const OTHER_FILES = 100;
/** Node takes the hard limit for its own. */
const mostFiles = (): number => Number(/^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity);

const MOST_MB_FOR_10_000 = 400;
/** Several heartbeats go out meanwhile. */
const HOLD_MS = 40_000;

const residentMb = (pid: number): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

const run = async (): Promise<boolean> => {
  const allowed = Math.floor((mostFiles() - OTHER_FILES) / 2);
  const count = values.count === undefined ? Math.min(10_000, allowed) : Number(values.count);
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-streams-'));
  const upstream = startHelper('./streams/silent-upstream.ts');
  const clients = startHelper('./streams/listeners.ts');
  try {
    const target = await startOblivious({
      log: 'postgres',
      upstream: await listeningOn(upstream),
      folder,
      environment: { OBLIVIOUS_KEY_CONCURRENCY: '100000', OBLIVIOUS_USER_CONCURRENCY: '100000' },
    });
    try {
      const pid = target.gatewayPids[0] as number;
      const before = residentMb(pid);
      const body = JSON.stringify({
        model: INSTANT_MODEL,
        stream: true,
        max_tokens: 16,
        messages: [{ role: 'user', content: 'Say nothing.'.padEnd(Number(values.prompt), '.') }],
      });
      const since = performance.now();
      clients.tell({ origin: target.origin, headers: target.headers, body, count } satisfies ListenJob);
      const { begun, failed } = (await clients.hear()) as Listening;
      const tookS = (performance.now() - since) / 1_000;
      const opened = residentMb(pid);
      const cpu = cpuSeconds([pid]);
      await pause(HOLD_MS);
      const held = residentMb(pid);
      const busy = (cpuSeconds([pid]) - cpu) / (HOLD_MS / 1_000);
      const print = (line: string): void => void process.stdout.write(`${line}\n`);
      print(`streams begun    ${begun} of ${count} in ${tookS.toFixed(1)} s`);
      if (count < 10_000 && count === allowed) print(`                 no more: the limit of open files is ${mostFiles()}`);
      for (const [what, times] of Object.entries(failed)) print(`  not begun      ${times} × ${what}`);
      print(
        `memory           ${before.toFixed(0)} MB before, ${opened.toFixed(0)} MB with all of them, ${held.toFixed(0)} MB ${HOLD_MS / 1_000} s later`,
      );
      print(`for each stream  ${(((held - before) * 1_024) / begun).toFixed(1)} kB`);
      print(`processor        ${(busy * 100).toFixed(1)} % of one core while they are silent`);
      const for10000 = before + ((held - before) * 10_000) / begun;
      print(`10 000 streams   ${for10000.toFixed(0)} MB, of ${MOST_MB_FOR_10_000}`);
      return begun === count && for10000 <= MOST_MB_FOR_10_000;
    } finally {
      await clients.stop();
      await target.stop();
    }
  } finally {
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

if (values.help) process.stdout.write(HELP);
else process.exitCode = (await run()) ? 0 : 1;
