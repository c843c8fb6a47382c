/**
 * A provider that speaks all three dialects, each at its own address, and answers at once. Run as a child process; sends `{ port }` to its parent when it
 * listens and ends with it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ANSWERS, CLAUDE, GEMINI, OPENAI } from './of-conversion.ts';

const server = createServer((asked, answer) => {
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
});
process.once('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
