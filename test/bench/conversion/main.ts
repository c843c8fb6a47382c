/**
 * What a call costs the relay in CPU by the dialects of its client and its upstream, whole and streamed, against a call that passes through:
 * the relay is a process of its own, and runs each kind of call in turn, several times over.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KEY } from '../../gateways/relay/relay-harness.ts';
import { ANSWERS, CLAUDE, FORMATS, GEMINI, OPENAI, type Format, type ToRelay } from './of-conversion.ts';

const ROUNDS = 6;
const CALLS = { whole: 300, streamed: 60 } as const;
const AT_ONCE = 8;

const upstream = createServer((asked, answer) => {
  asked.resume();
  asked.on('end', () => {
    const path = asked.url ?? '';
    const { whole, stream } = ANSWERS[path.startsWith('/v1beta') ? GEMINI : path === '/v1/messages' ? CLAUDE : OPENAI];
    if (asked.headers.accept !== 'text/event-stream') return void answer.writeHead(200, { 'content-type': 'application/json' }).end(whole);
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    // Each event is a read of its own at the relay, or nearly.
    const send = (at: number): void => {
      if (at === stream.length) return void answer.end();
      answer.write(stream[at]);
      setImmediate(send, at + 1);
    };
    send(0);
  });
}).listen(0, '127.0.0.1');
await once(upstream, 'listening');

const relay = fork(new URL('./relay-process.ts', import.meta.url), { execArgv: process.execArgv });
const ask = async <T>(message: ToRelay): Promise<T> => {
  relay.send(message);
  const [told] = (await once(relay, 'message')) as [T];
  return told;
};
const { url } = await ask<{ url: string }>({ kind: 'start', upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` });
const used = async (): Promise<number> => (await ask<{ micros: number }>({ kind: 'used' })).micros;

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const call = async (format: Format, model: string, streamed: boolean): Promise<void> => {
  const body = format.body(model, streamed);
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const sent = request(url + format.path(model, streamed), { method: 'POST', agent, headers });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const piece of answer) text += String(piece);
  if (answer.statusCode !== 200 || !text.includes('word9')) throw new Error(`${answer.statusCode ?? 0}: ${text.slice(0, 500)}`);
};

const measure = async (format: Format, model: string, streamed: boolean): Promise<number> => {
  const calls = streamed ? CALLS.streamed : CALLS.whole;
  const before = await used();
  let left = calls;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call(format, model, streamed);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return ((await used()) - before) / calls;
};

const UPSTREAMS = [
  ['chat completions', OPENAI],
  ['Messages', CLAUDE],
  ['generateContent', GEMINI],
] as const;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

for (const streamed of [false, true]) {
  const kinds = Object.values(FORMATS).flatMap((format) =>
    UPSTREAMS.map(([speaks, model]) => ({ format, speaks, model, costs: [] as number[] })),
  );
  for (let round = 0; round <= ROUNDS; round++)
    for (const kind of kinds) {
      const cost = await measure(kind.format, kind.model, streamed);
      // The first round warms up.
      if (round > 0) kind.costs.push(cost);
    }
  const through = median(kinds[0]?.costs ?? []);
  for (const { format, speaks, costs } of kinds) {
    const cost = median(costs);
    const what = `${format.name} → ${speaks}, ${streamed ? 'streamed' : 'whole'}`;
    process.stdout.write(`${what.padEnd(50)} ${String(Math.round(cost)).padStart(6)} µs of CPU a call  ${(cost / through).toFixed(2)}\n`);
  }
}
relay.disconnect();
agent.destroy();
upstream.close();
upstream.closeAllConnections();
