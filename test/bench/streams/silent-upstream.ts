/**
 * A provider that begins every stream with one piece and then says nothing; whole answers are whole. Run as a child process; sends `{ port }` to its
 * parent when it listens and ends with it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const PIECE =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"I"},"finish_reason":null}]}\n\n';
const WHOLE =
  '{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"I"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}';

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => (body += text));
  request.on('end', () => {
    if (!body.includes('"stream":true')) return void response.writeHead(200, { 'content-type': 'application/json' }).end(WHOLE);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(PIECE);
  });
});
server.listen(0, '127.0.0.1', 4_096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
