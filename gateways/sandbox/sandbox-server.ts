import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EmbeddingsRequest } from '../../schemas/openai/embeddings-request.ts';
import { SandboxChatRequest } from '../../schemas/openai/sandbox-request.ts';
import { boundaryOf } from '../relay/form-scanner.ts';
import { embed } from './embedding.ts';
import { MEDIA } from './media.ts';
import { SANDBOX_MODELS, sandboxPrices } from './prices.ts';
import { outputTokens, replyTo, type Reply } from './reply.ts';
import { refuse, send } from './sandbox-answers.ts';
import { hashOf, tokensOf } from './text.ts';

export interface Sandbox {
  /** With `/v1`. */
  readonly baseUrl: string;
  close(): Promise<void>;
}

/** Tokens per second, where the request does not say. */
const SPEEDS: Readonly<Record<string, number>> = { 'sandbox-story-slow': 10, 'sandbox-story': 80, 'sandbox-reasoning': 40 };
const USUAL_SPEED = 400;

/** A form may have as much. */
const LARGEST_BODY = 128 * 1024 * 1024;
const MOST_DIMENSIONS = 4_096;
/** Timers are no finer than this; faster streams send more than one token at a time. */
const TICK_MS = 10;

const readBody = (req: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LARGEST_BODY) req.destroy();
      else chunks.push(chunk);
    });
    req.on('end', () => resolve(Buffer.concat(chunks)));
    req.on('close', () => reject(new Error('the caller left')));
  });

const usageOf = (replies: readonly Reply[]): object => {
  const completion = replies.reduce((sum, reply) => sum + outputTokens(reply), 0);
  const prompt = replies[0]?.promptTokens ?? 0;
  const reasoning = replies.reduce((sum, reply) => sum + reply.reasoning.length, 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
};

const toolCallsOf = (reply: Reply): readonly object[] =>
  reply.tools.map((tool, index) => ({ index, id: tool.id, type: 'function', function: { name: tool.name, arguments: tool.arguments } }));

const messageOf = (reply: Reply): object => ({
  role: 'assistant',
  content: reply.tools.length > 0 ? null : reply.text.join(''),
  refusal: null,
  ...(reply.reasoning.length > 0 ? { reasoning_content: reply.reasoning.join('') } : {}),
  ...(reply.tools.length > 0
    ? { tool_calls: reply.tools.map(({ id, name, arguments: args }) => ({ id, type: 'function', function: { name, arguments: args } })) }
    : {}),
});

/** The deltas of a reply in order, one a token. */
const deltasOf = (reply: Reply): readonly object[] => [
  ...reply.reasoning.map((token) => ({ reasoning_content: token })),
  ...reply.text.map((token) => ({ content: token })),
  ...toolCallsOf(reply).map((call) => ({ tool_calls: [call] })),
];

interface Pace {
  readonly tokensPerSecond: number;
  readonly firstTokenMs: number;
}

const paceOf = ({ model, sandbox }: SandboxChatRequest): Pace => ({
  tokensPerSecond: sandbox?.tokens_per_second ?? SPEEDS[model] ?? USUAL_SPEED,
  firstTokenMs: sandbox?.first_token_ms ?? 0,
});

/** Streams at the pace asked for; stops when the caller leaves, and waits when the caller does not read. */
const stream = (res: ServerResponse, request: SandboxChatRequest, head: object, replies: readonly Reply[]): void => {
  const { tokensPerSecond, firstTokenMs } = paceOf(request);
  const withUsage = request.stream_options?.include_usage === true;
  const event = (choices: readonly object[], usage: object | null): string =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...(withUsage ? { usage } : {}) })}\n\n`;
  const events: string[] = [];
  replies.forEach((reply, index) => {
    events.push(event([{ index, delta: { role: 'assistant', content: reply.tools.length > 0 ? null : '' }, finish_reason: null }], null));
    for (const delta of deltasOf(reply)) events.push(event([{ index, delta, finish_reason: null }], null));
    events.push(event([{ index, delta: {}, finish_reason: reply.finish }], null));
  });
  const ending = (withUsage ? event([], usageOf(replies)) : '') + 'data: [DONE]\n\n';

  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  res.flushHeaders();
  const started = performance.now();
  let sent = 0;
  let timer: NodeJS.Timeout;
  const tick = (): void => {
    const due = Math.min(events.length, 1 + Math.floor(((performance.now() - started - firstTokenMs) * tokensPerSecond) / 1_000));
    const goOn = due <= sent || res.write(events.slice(sent, due).join(''));
    sent = Math.max(sent, due);
    if (sent === events.length) return void res.end(ending);
    if (goOn) timer = setTimeout(tick, Math.max(TICK_MS, 1_000 / tokensPerSecond));
    else res.once('drain', tick);
  };
  res.on('close', () => clearTimeout(timer));
  timer = setTimeout(tick, firstTokenMs);
};

const chat = (res: ServerResponse, body: unknown): void => {
  const parsed = SandboxChatRequest.safeParse(body);
  if (!parsed.success) return refuse(res, 400, parsed.error.issues[0]?.message ?? 'not valid');
  const request = parsed.data;
  const { maxOutputTokens: limit, contextTokens } =
    sandboxPrices.find(({ model, kind }) => kind === 'chat' && model === request.model) ?? {};
  if (limit === undefined)
    return refuse(res, 404, `there is no chat model "${request.model}"; there are ${SANDBOX_MODELS.join(', ')}`, 'model_not_found');
  const replies = Array.from({ length: request.n ?? 1 }, () => replyTo(request, limit));
  // What is held for a prompt is no more than the model can read: one that reads more would be read for nothing.
  const prompt = replies[0]?.promptTokens ?? 0;
  if (contextTokens !== undefined && prompt > contextTokens)
    return refuse(res, 400, `the prompt has ${prompt} tokens; ${request.model} reads ${contextTokens}`, 'context_length_exceeded');
  const head = {
    id: `chatcmpl-sandbox-${hashOf(JSON.stringify(request.messages)).toString(36)}`,
    created: Math.floor(Date.now() / 1_000),
    model: request.model,
    system_fingerprint: 'sandbox',
  };
  if (request.stream === true) return stream(res, request, head, replies);
  const { tokensPerSecond, firstTokenMs } = paceOf(request);
  const answer = {
    ...head,
    object: 'chat.completion',
    choices: replies.map((reply, index) => ({ index, message: messageOf(reply), logprobs: null, finish_reason: reply.finish })),
    usage: usageOf(replies),
  };
  // A plain answer takes as long as its stream would, but for models that are there to be quick.
  const takes =
    firstTokenMs +
    (request.sandbox?.tokens_per_second === undefined && SPEEDS[request.model] === undefined
      ? 0
      : (outputTokens(replies[0] as Reply) * 1_000) / tokensPerSecond);
  const timer = setTimeout(() => send(res, 200, answer), takes);
  res.on('close', () => clearTimeout(timer));
};

const embeddings = (res: ServerResponse, body: unknown): void => {
  const parsed = EmbeddingsRequest.safeParse(body);
  if (!parsed.success) return refuse(res, 400, parsed.error.issues[0]?.message ?? 'not valid');
  const { model, input, encoding_format: format, dimensions } = parsed.data;
  if (!sandboxPrices.some((price) => price.kind === 'embedding' && price.model === model))
    return refuse(res, 404, `there is no embedding model "${model}"`, 'model_not_found');
  if (
    dimensions !== undefined &&
    (typeof dimensions !== 'number' || !Number.isInteger(dimensions) || dimensions < 1 || dimensions > MOST_DIMENSIONS)
  ) {
    return refuse(res, 400, `dimensions must be a whole number from 1 to ${MOST_DIMENSIONS}`);
  }
  const inputs = typeof input === 'string' || typeof input[0] === 'number' ? [input] : input;
  let tokens = 0;
  const data = inputs.map((each, index) => {
    const text = typeof each === 'string' ? each : JSON.stringify(each);
    tokens += typeof each === 'string' ? tokensOf(text).length : Array.isArray(each) ? each.length : 1;
    const vector = embed(text, dimensions);
    return { object: 'embedding', index, embedding: format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector] };
  });
  send(res, 200, { object: 'list', data, model, usage: { prompt_tokens: Math.max(1, tokens), total_tokens: Math.max(1, tokens) } });
};

const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
  const path = req.url?.split('?')[0];
  if (req.method === 'GET' && path === '/v1/models')
    return send(res, 200, { object: 'list', data: SANDBOX_MODELS.map((id) => ({ id, object: 'model', created: 0, owned_by: 'sandbox' })) });
  const media = path === undefined ? undefined : MEDIA.get(path);
  if (req.method !== 'POST' || (media === undefined && path !== '/v1/chat/completions' && path !== '/v1/embeddings'))
    return refuse(res, 404, 'there is nothing here');
  let body: Buffer;
  try {
    body = await readBody(req);
  } catch {
    return;
  }
  if (media !== undefined) return media(res, { body, boundary: boundaryOf(req.headers['content-type']) });
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return refuse(res, 400, 'the body is not JSON');
  }
  if (path === '/v1/embeddings') embeddings(res, value);
  else chat(res, value);
};

/**
 * Starts the simulated provider on loopback. It speaks OpenAI's format, knows nothing, costs nothing and tells everybody who
 * asks what it is; it lets everything else be tried without an account anywhere.
 */
export const startSandbox = (): Promise<Sandbox> => {
  const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => void answer(req, res));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        baseUrl: `http://127.0.0.1:${port}/v1`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
};
