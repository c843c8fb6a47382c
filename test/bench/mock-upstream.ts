/**
 * A model provider that costs next to nothing: `POST …/chat/completions` with a made-up answer, whole or streamed. Run as a child
 * process; sends `{ port }` to its parent when it listens and ends with it.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ANSWER_TOKENS, CHUNK_INTERVAL_MS, SLOW_ANSWER_MS, SLOW_MODEL, STREAM_CHUNKS } from './mock-models.ts';
import { stampNow } from './stamp.ts';

interface Asked {
  readonly model: string;
  readonly promptTokens: number;
  readonly usageWanted: boolean;
}

let served = 0;

const usage = (promptTokens: number, completionTokens: number): string =>
  `{"prompt_tokens":${promptTokens},"completion_tokens":${completionTokens},"total_tokens":${promptTokens + completionTokens},` +
  '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}';

const CONTENT = 'token '.repeat(ANSWER_TOKENS).trimEnd();

const wholeAnswer = (asked: Asked): string =>
  `{"id":"chatcmpl-${served}","object":"chat.completion","created":1700000000,"model":"${asked.model}",` +
  `"choices":[{"index":0,"message":{"role":"assistant","content":"${CONTENT}","refusal":null},"logprobs":null,"finish_reason":"stop"}],` +
  `"usage":${usage(asked.promptTokens, ANSWER_TOKENS)},"service_tier":"default","system_fingerprint":"fp_mock"}`;

const event = (asked: Asked, choices: string, counted = 'null'): string =>
  `data: {"id":"chatcmpl-${served}","object":"chat.completion.chunk","created":1700000000,"model":"${asked.model}",` +
  `"service_tier":"default","system_fingerprint":"fp_mock","choices":[${choices}],"usage":${counted}}\n\n`;

const choice = (delta: string, finish = 'null'): string => `{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}`;

const frame = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

const answerWhole = (response: ServerResponse, asked: Asked): void => {
  const body = wholeAnswer(asked);
  response.writeHead(200, ['content-type', 'application/json', 'content-length', String(body.length), 'x-request-id', `req_${served}`]);
  response.end(body);
};

const answerStreamed = (response: ServerResponse, asked: Asked): void => {
  response.writeHead(200, ['content-type', 'text/event-stream; charset=utf-8', 'cache-control', 'no-cache']);
  response.flushHeaders();
  const socket = response.socket;
  const opening = event(asked, choice('{"role":"assistant","content":""}'));
  const closing =
    event(asked, choice('{}', '"stop"')) +
    (asked.usageWanted ? event(asked, '', usage(asked.promptTokens, STREAM_CHUNKS)) : '') +
    'data: [DONE]\n\n';
  let written = 0;
  let timer: NodeJS.Timeout | undefined;
  response.once('close', () => clearTimeout(timer));
  const step = (): void => {
    if (socket === null || response.destroyed) return;
    if (written === STREAM_CHUNKS) {
      response.end(closing);
      return;
    }
    // Framed by hand: for chunks as small as these it halves what response.write() costs, and the mock shares the machine with what is measured.
    socket.write((written === 0 ? frame(opening) : '') + frame(event(asked, choice(`{"content":"${stampNow()} "}`))), 'latin1');
    written += 1;
    timer = setTimeout(step, CHUNK_INTERVAL_MS);
  };
  step();
};

const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, noDelay: true }, (request, response) => {
  let body = '';
  request.setEncoding('latin1');
  request.on('data', (text: string) => (body += text));
  request.on('end', () => {
    if (request.method !== 'POST' || request.url?.endsWith('/chat/completions') !== true) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"the mock answers chat completions only"}}');
      return;
    }
    served += 1;
    const asked = {
      model: /"model"\s*:\s*"([^"]*)"/.exec(body)?.[1] ?? '',
      promptTokens: Math.ceil(body.length / 4),
      usageWanted: /"include_usage"\s*:\s*true/.test(body),
    };
    if (/"stream"\s*:\s*true/.test(body)) answerStreamed(response, asked);
    else if (asked.model === SLOW_MODEL) setTimeout(answerWhole, SLOW_ANSWER_MS, response, asked);
    else answerWhole(response, asked);
  });
});

process.once('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
