import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startOblivious } from '../oblivious.ts';
import { exactCpuSeconds } from '../process-cpu.ts';
import { listeningOn, startHelper } from '../server-process.ts';
import type { Target } from '../target.ts';
import { CLAUDE, FORMATS, GEMINI, OPENAI, type Format } from './of-conversion.ts';

const HELP = `Measures the CPU that the built server uses for a call, by the dialects of its client and its upstream, whole and streamed, against a call that
passes through. Every kind of call has its turn in every round, and is compared with what passed through in the same round.

usage: npx tsx test/bench/conversion/main.ts [--rounds n] [--only whole|streamed]

  BENCH_SERVER=main.js      measure this build of the server instead of the one in dist/

Ends with an error when a kind of call costs more than the goal. Needs Linux, the built server (make build) and PostgreSQL's binaries.
`;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, only: { type: 'string' }, help: { type: 'boolean', default: false } },
});

/** As many times the CPU of a call that passes through. */
const GOAL = 1.5;
/** It takes V8 some thousand calls of a kind to make the best of them. */
const WARM_UP_ROUNDS = 24;
const CALLS = { whole: 300, streamed: 50 } as const;
const AT_ONCE = 16;

const UPSTREAMS = [
  ['chat completions', OPENAI],
  ['Messages', CLAUDE],
  ['generateContent', GEMINI],
] as const;

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

const call = async ({ origin, headers }: Target, format: Format, model: string, streamed: boolean): Promise<void> => {
  const body = format.body(model, streamed);
  const sent = request(origin + format.path(model, streamed), {
    method: 'POST',
    agent,
    headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const piece of answer) text += String(piece);
  if (answer.statusCode !== 200 || !text.includes('word9')) throw new Error(`${answer.statusCode ?? 0}: ${text.slice(0, 500)}`);
};

/** Microseconds of CPU for one call. */
const measure = async (target: Target, format: Format, model: string, streamed: boolean): Promise<number> => {
  const calls = streamed ? CALLS.streamed : CALLS.whole;
  const pid = target.gatewayPids[0] as number;
  const before = exactCpuSeconds(pid);
  let left = calls;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call(target, format, model, streamed);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return ((exactCpuSeconds(pid) - before) / calls) * 1e6;
};

/** A channel is known to the relay a moment after the console has answered. */
const untilKnown = async (target: Target, model: string): Promise<void> => {
  for (let tries = 0; ; tries++) {
    try {
      return await call(target, FORMATS.chat, model, false);
    } catch (error) {
      if (tries > 100) throw error;
      await pause(100);
    }
  }
};

const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[all.length >> 1] ?? NaN;

/** Whether all kinds are within the goal. */
const compare = async (target: Target, streamed: boolean, rounds: number): Promise<boolean> => {
  const kinds = Object.values(FORMATS).flatMap((format) =>
    UPSTREAMS.map(([speaks, model]) => ({ format, speaks, model, costs: [] as number[], ratios: [] as number[] })),
  );
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    let through = NaN;
    for (const kind of kinds) {
      const cost = await measure(target, kind.format, kind.model, streamed);
      if (kind === kinds[0]) through = cost;
      if (round < 0) continue;
      kind.costs.push(cost);
      kind.ratios.push(cost / through);
    }
  }
  for (const { format, speaks, costs, ratios } of kinds) {
    const what = `${format.name} → ${speaks}, ${streamed ? 'streamed' : 'whole'}`;
    const cost = (median(costs) / 1_000).toFixed(2);
    process.stdout.write(`${what.padEnd(50)} ${cost.padStart(6)} s of CPU for 1 000 calls  ${median(ratios).toFixed(2)}\n`);
  }
  return kinds.every(({ ratios }) => median(ratios) <= GOAL);
};

const run = async (): Promise<boolean> => {
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-conversion-'));
  const upstream = startHelper('./conversion/dialect-upstream.ts');
  try {
    const address = await listeningOn(upstream);
    const channel = (provider: string, path: string, model: string): object => ({
      name: provider,
      provider,
      baseUrl: address + path,
      models: [{ model, upstreamModel: model }],
    });
    const target = await startOblivious({
      log: 'postgres',
      upstream: address,
      folder,
      channels: [channel('anthropic', '/v1', CLAUDE), channel('gemini', '/v1beta', GEMINI)],
    });
    try {
      for (const [, model] of UPSTREAMS) await untilKnown(target, model);
      const modes = [false, true].filter((streamed) => values.only === undefined || values.only === (streamed ? 'streamed' : 'whole'));
      let within = true;
      for (const streamed of modes) within = (await compare(target, streamed, Number(values.rounds))) && within;
      return within;
    } finally {
      agent.destroy();
      await target.stop();
    }
  } finally {
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

if (values.help) process.stdout.write(HELP);
else process.exitCode = (await run()) ? 0 : 1;
