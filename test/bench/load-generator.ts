/** Makes calls and measures. Run as a child process: takes a {@link LoadJob} per message, answers each with a {@link Measurement}. */
import { setTimeout as pause } from 'node:timers/promises';
import { LoadConnection } from './load-connection.ts';
import type { CallListener } from './load-connection.ts';
import type { LoadJob, Measurement, Percentiles } from './load-job.ts';
import { STREAM_CHUNKS } from './mock-models.ts';
import { cpuSeconds, machineBusySeconds, withDescendants } from './process-cpu.ts';
import { monotonicMicros } from './stamp.ts';
import { quantile } from './statistics.ts';

const PROMPT_BYTES = 1024;
const SENTENCE =
  'The gateway counts every token that a customer sends, settles what it had set aside, and records each charge before it answers. ';

const callBytes = (job: LoadJob): Buffer => {
  const body = JSON.stringify({
    model: job.model,
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: SENTENCE.repeat(PROMPT_BYTES / SENTENCE.length + 1).slice(0, PROMPT_BYTES) },
    ],
    max_tokens: 256,
    temperature: 0.7,
    stream: job.streamed,
    ...(job.streamed ? { stream_options: { include_usage: true } } : {}),
  });
  const headers = {
    host: new URL(job.origin).host,
    'content-type': 'application/json',
    accept: job.streamed ? 'text/event-stream' : 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    authorization: 'Bearer sk-bench',
    ...job.headers,
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST /v1/chat/completions HTTP/1.1\r\n${head.join('')}\r\n${body}`);
};

/** Collects while a window is open. */
class Tally implements CallListener {
  open = false;
  readonly calls: number[] = [];
  readonly firstTokens: number[] = [];
  readonly transits: number[] = [];
  readonly failures: Record<string, number> = {};

  answered(took: number): void {
    if (this.open) this.calls.push(took);
  }
  firstToken(waited: number): void {
    if (this.open) this.firstTokens.push(waited);
  }
  token(transit: number): void {
    if (this.open) this.transits.push(transit);
  }
  failed(why: string): void {
    if (this.open) this.failures[why] = (this.failures[why] ?? 0) + 1;
  }
}

const percentiles = (micros: readonly number[]): Percentiles => ({
  p50Ms: quantile(micros, 0.5) / 1e3,
  p99Ms: quantile(micros, 0.99) / 1e3,
});

/** Starts counting; the answer ends it and tells what was used, in CPU seconds. */
const meterCpu = (job: LoadJob): (() => { seconds: number; gateway: number; database: number; foreign: number }) => {
  const gateway = withDescendants(job.gatewayPids);
  const database = withDescendants(job.databasePids);
  // Whatever belongs to the benchmark was started by our parent.
  const benchmark = withDescendants([process.ppid]);
  const reading = (): number[] => [
    monotonicMicros() / 1e6,
    cpuSeconds(gateway),
    cpuSeconds(database),
    machineBusySeconds() - cpuSeconds(benchmark),
  ];
  const before = reading();
  return () => {
    const [seconds = 0, ofGateway = 0, ofDatabase = 0, foreign = 0] = reading().map((value, i) => value - (before[i] ?? 0));
    return { seconds, gateway: ofGateway, database: ofDatabase, foreign: Math.max(0, foreign) };
  };
};

const measure = async (job: LoadJob): Promise<Measurement> => {
  const { hostname, port } = new URL(job.origin);
  if (hostname !== '127.0.0.1') throw new Error(`load goes to this machine only, not to ${hostname}`);
  const call = callBytes(job);
  const tally = new Tally();
  const connections: LoadConnection[] = [];
  // Streams of equal length that start together would also tick together: their starts are spread over the warm-up.
  const apart = job.streamed ? (job.warmupMs * 0.8) / job.connections : 0;
  for (let i = 0; i < job.connections; i += 1) {
    connections.push(new LoadConnection(Number(port), call, job.streamed, tally));
    if (apart > 0) await pause(apart);
  }
  await pause(job.warmupMs - apart * job.connections);
  const stopMeter = meterCpu(job);
  tally.open = true;
  await pause(job.windowMs);
  tally.open = false;
  const used = stopMeter();
  for (const connection of connections) connection.close();
  // Long streams are counted by their chunks: few of them end in a window.
  const calls = job.streamed ? tally.transits.length / STREAM_CHUNKS : tally.calls.length;
  return {
    callsPerSecond: calls / used.seconds,
    cpuSecondsPer1000: (used.gateway / calls) * 1000,
    databaseCpuSecondsPer1000: (used.database / calls) * 1000,
    call: percentiles(tally.calls),
    firstToken: job.streamed ? percentiles(tally.firstTokens) : undefined,
    transit: job.streamed ? percentiles(tally.transits) : undefined,
    chargeDurable: undefined,
    failures: tally.failures,
    foreignCores: used.foreign / used.seconds,
  };
};

process.on('message', (job: LoadJob) => {
  void measure(job).then((measurement) => process.send?.(measurement));
});
process.once('disconnect', () => process.exit());
