import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { chatBody, chatParts, fakeEmbedding, fakePromptTokens, planChat, usageJson } from './answer.ts';
import type { ChatPlan, ChatRequest } from './answer.ts';
import { ClientGone, Delivery } from './delivery.ts';
import { errorBody, garbage, retryAfter } from './failures.ts';
import { CallRecord, recordLine } from './record.ts';
import type { RecordedCall } from './record.ts';
import { Rules } from './rules.ts';
import type { RuleMatch } from './rules.ts';
import { fakeScriptSchema, scriptOfModelName } from './script.ts';
import type { FakeScript } from './script.ts';

export interface FakeUpstreamOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Behaviour of calls that ask for nothing else. */
  readonly script?: FakeScript;
  /** What `GET /v1/models` lists. */
  readonly models?: readonly string[];
  /** File that the record is appended to as well, line by line. */
  readonly recordFile?: string;
}

/** A running OpenAI-compatible provider without a model. */
export interface FakeUpstream {
  readonly port: number;
  /** Without `/v1`. */
  readonly url: string;
  /** What a channel or an SDK is pointed to: with `/v1`. */
  readonly baseUrl: string;
  /** Every call so far, in order of arrival. */
  readonly calls: readonly RecordedCall[];
  /** Behaviour of the calls that match, from now on; the rule set last wins. `{ times: 1 }` is for the next call only. */
  when(match: RuleMatch, script: FakeScript): void;
  /** Resolves with the first call, past or coming, for which `wanted` holds. Never rejects: the test's own timeout ends it. */
  call(wanted: (call: RecordedCall) => boolean): Promise<RecordedCall>;
  /** Forgets calls and rules; calls in flight go on. */
  reset(): void;
  /** Refuses connections and cuts the open ones, until {@link FakeUpstream.comeBack}. */
  goAway(): Promise<void>;
  /** Listens again, on the same port. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

const DEFAULT_MODELS = ['fake-small', 'fake-large', 'fake-embed'];
const SSE_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
const JSON_HEADERS = { 'content-type': 'application/json' };
const LINE_ENDS = { lf: '\n', crlf: '\r\n', cr: '\r' };
const HUGE_BYTES = 8 * 1024 * 1024;
/** Events that need no pause between them leave in writes of about this size. */
const WRITE_BYTES = 16 * 1024;

const rulesSchema = z.array(
  z.strictObject({
    match: z.strictObject({ model: z.string(), key: z.string(), path: z.string(), times: z.number() }).partial().default({}),
    script: fakeScriptSchema,
  }),
);

interface EmbeddingRequest {
  readonly model: string;
  readonly input?: unknown;
  readonly dimensions?: number;
  readonly encoding_format?: string;
}

interface Exchange {
  readonly call: RecordedCall;
  readonly script: FakeScript;
  readonly request: unknown;
  readonly response: ServerResponse;
  readonly delivery: Delivery;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

function parsedObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

class Provider implements FakeUpstream {
  readonly #options: FakeUpstreamOptions;
  readonly #record: CallRecord;
  readonly #rules = new Rules();
  /** Failures so far of a script with `times`, by model and key. */
  readonly #failed = new Map<string, number>();
  readonly #server: Server;
  #count = 0;
  #port = 0;

  constructor(options: FakeUpstreamOptions) {
    this.#options = options;
    this.#record = new CallRecord(options.recordFile);
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => void this.#serve(request, response));
    this.#server.on('connection', (socket: Socket) => socket.setNoDelay(true));
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get baseUrl(): string {
    return `${this.url}/v1`;
  }

  get calls(): readonly RecordedCall[] {
    return this.#record.calls;
  }

  when(match: RuleMatch, script: FakeScript): void {
    this.#rules.add(match, fakeScriptSchema.parse(script));
  }

  call(wanted: (call: RecordedCall) => boolean): Promise<RecordedCall> {
    return this.#record.when(wanted);
  }

  reset(): void {
    this.#record.clear();
    this.#rules.clear();
    this.#failed.clear();
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async goAway(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  comeBack(): Promise<void> {
    return this.listen(this.#port);
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.goAway();
    this.#record.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const path = (request.url ?? '/').split('?', 1)[0] as string;
      const body = await bodyOf(request);
      if (path.startsWith('/__')) this.#control(request.method ?? 'GET', path, body, response);
      else await this.#provide(request, path, body, response);
    } catch (error) {
      // A caller that hangs up while it sends its request has no answer coming.
      if (request.destroyed && !request.complete) return;
      if (!response.headersSent) response.writeHead(400, JSON_HEADERS);
      response.end(
        JSON.stringify({
          error: { message: `fake provider: ${String(error)}`, type: 'invalid_request_error', param: null, code: 'fake_script_invalid' },
        }),
      );
    }
  }

  /** What other processes use instead of this object's methods. */
  #control(method: string, path: string, body: Buffer, response: ServerResponse): void {
    if (method === 'GET' && path === '/__record') {
      response.writeHead(200, { 'content-type': 'application/jsonl' });
      response.end(this.calls.map(recordLine).join(''));
      return;
    }
    if (method === 'POST' && path === '/__rules') {
      for (const { match, script } of rulesSchema.parse(JSON.parse(body.toString('utf8')))) this.#rules.add(match, script);
    } else if (method === 'POST' && path === '/__reset') {
      this.reset();
    } else if (path !== '/__health') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(204).end();
  }

  async #provide(request: IncomingMessage, path: string, body: Buffer, response: ServerResponse): Promise<void> {
    const parsed = request.method === 'POST' ? parsedObject(body) : {};
    const headers = headersOf(request);
    const model = typeof parsed?.['model'] === 'string' ? parsed['model'] : '';
    const key = /^Bearer (.*)$/.exec(headers['authorization'] ?? '')?.[1];
    this.#count += 1;
    const call: RecordedCall = {
      n: this.#count,
      id: `chatcmpl-fake-${this.#count}`,
      method: request.method ?? 'GET',
      path,
      headers,
      key,
      model,
      stream: parsed?.['stream'] === true,
      body,
      startedAt: Date.now(),
      endedAt: undefined,
      outcome: 'running',
      status: 0,
      chunks: 0,
      billed: { promptTokens: 0, completionTokens: 0 },
      failure: undefined,
    };
    this.#record.began(call);
    response.setHeader('x-request-id', call.id);
    try {
      const script = this.#scriptFor(call, parsed);
      call.failure = script.fail;
      const delivery = new Delivery(response, script.split);
      const exchange: Exchange = { call, script, request: parsed, response, delivery };
      await this.#answer(exchange);
      this.#record.ended(call, call.failure === undefined && call.status < 400 ? 'complete' : 'failed');
    } catch (error) {
      this.#record.ended(call, error instanceof ClientGone ? 'client_gone' : 'failed');
      if (!(error instanceof ClientGone)) throw error;
    }
  }

  #scriptFor(call: RecordedCall, parsed: Record<string, unknown> | undefined): FakeScript {
    const header = call.headers['x-fake-script'];
    const field = parsed?.['x-fake-script'];
    const script: FakeScript = {
      ...this.#options.script,
      ...scriptOfModelName(call.model),
      ...(header === undefined ? {} : fakeScriptSchema.parse(JSON.parse(header))),
      ...(field === undefined ? {} : fakeScriptSchema.parse(field)),
      ...this.#rules.take(call),
    };
    if (script.fail === undefined || script.times === undefined) return script;
    const who = `${call.model} ${call.key ?? ''}`;
    const failures = this.#failed.get(who) ?? 0;
    if (failures >= script.times) return { ...script, fail: undefined };
    this.#failed.set(who, failures + 1);
    return script;
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { call, script, request, delivery } = exchange;
    await delivery.wait(script.latency ?? 0);
    if (script.fail === 'silence' && script.after === undefined) return delivery.silence();
    if (script.fail === 'reset' && script.after === undefined) return this.#cut(exchange);
    if (script.fail === 'status') return this.#refuse(exchange, script.status ?? 500);
    if (call.method === 'GET' && call.path === '/v1/models') return this.#listModels(exchange);
    if (call.method !== 'POST') return this.#refuse(exchange, 404);
    if (request === undefined) return this.#refuse(exchange, 400);
    if (call.path === '/v1/embeddings') return this.#embed(exchange);
    if (call.path !== '/v1/chat/completions') return this.#refuse(exchange, 404);
    const chat = request as ChatRequest;
    return chat.stream === true ? this.#stream(exchange, chat) : this.#complete(exchange, chat);
  }

  #refuse({ call, script, response, delivery }: Exchange, status: number): Promise<void> {
    const wait = retryAfter(script, Date.now());
    call.status = status;
    response.writeHead(status, { ...JSON_HEADERS, ...(wait === undefined ? {} : { 'retry-after': wait }) });
    response.write(errorBody(status, script.code));
    return delivery.end();
  }

  #listModels(exchange: Exchange): Promise<void> {
    const data = (this.#options.models ?? DEFAULT_MODELS).map((id) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'fake' }));
    return this.#plain(exchange, JSON.stringify({ object: 'list', data }));
  }

  #embed(exchange: Exchange): Promise<void> {
    const { call, script } = exchange;
    const request = exchange.request as EmbeddingRequest;
    const input = request.input;
    const isBatch = Array.isArray(input) && typeof input[0] !== 'number';
    const items: unknown[] = isBatch ? input : [input];
    const promptTokens =
      script.prompt ?? items.reduce((sum: number, item) => sum + (Array.isArray(item) ? item.length : fakePromptTokens(item)), 0);
    const data = items.map((item, index) => {
      const vector = fakeEmbedding(typeof item === 'string' ? item : JSON.stringify(item), request.dimensions ?? script.dimensions);
      const embedding = request.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
      return { object: 'embedding', index, embedding };
    });
    call.billed = { promptTokens, completionTokens: 0 };
    const plan: ChatPlan = { promptTokens, choices: 1, textTokens: 0, reasoningTokens: 0, limit: undefined, finish: 'stop', tools: 0 };
    const kind = script.usage ?? 'asked';
    const usage =
      kind === 'asked' || kind === 'always'
        ? JSON.stringify({ prompt_tokens: promptTokens, total_tokens: promptTokens })
        : usageJson(kind, true, plan, script);
    const body = JSON.stringify({ object: 'list', data, model: call.model });
    return this.#plain(exchange, usage === undefined ? body : `${body.slice(0, -1)},"usage":${usage}}`);
  }

  #complete(exchange: Exchange, request: ChatRequest): Promise<void> {
    const { call, script } = exchange;
    const plan = planChat(request, script);
    call.billed = { promptTokens: plan.promptTokens, completionTokens: plan.choices * (plan.textTokens + plan.reasoningTokens) };
    return this.#plain(exchange, chatBody(call.id, call.model, plan, usageJson(script.usage, true, plan, script)));
  }

  /** Sends a body that is known whole, or what the script leaves of it. */
  async #plain(exchange: Exchange, body: string): Promise<void> {
    const { call, script, response, delivery } = exchange;
    call.status = 200;
    const bytes = Buffer.from(body);
    switch (script.fail) {
      case 'error_in_200':
        call.billed = { promptTokens: 0, completionTokens: 0 };
        response.writeHead(200, JSON_HEADERS);
        await delivery.write(errorBody(script.status ?? 500, script.code));
        return delivery.end();
      case 'garbage':
        call.billed = { promptTokens: 0, completionTokens: 0 };
        response.writeHead(200, JSON_HEADERS);
        await delivery.write(garbage(script.bytes ?? 512));
        return delivery.end();
      case 'end_early':
        response.writeHead(200, JSON_HEADERS);
        await delivery.write(bytes.subarray(0, bytes.length >> 1));
        return delivery.end();
      case 'reset':
        // Announced whole and cut in the middle.
        response.writeHead(200, { ...JSON_HEADERS, 'content-length': bytes.length });
        await delivery.write(bytes.subarray(0, bytes.length >> 1));
        return this.#cut(exchange);
      case 'silence':
        response.writeHead(200, { ...JSON_HEADERS, 'content-length': bytes.length });
        await delivery.write(bytes.subarray(0, bytes.length >> 1));
        return delivery.silence();
      case 'huge_chunk':
        response.writeHead(200, JSON_HEADERS);
        await delivery.write(`${body.slice(0, -1)},"padding":"`);
        await this.#pad(exchange);
        await delivery.write('"}');
        return delivery.end();
      default:
    }
    if (script.slowHeaders !== undefined) return this.#dribble(exchange, body);
    const sent = script.gzip === true ? gzipSync(bytes) : bytes;
    response.writeHead(200, {
      ...JSON_HEADERS,
      'content-length': sent.length,
      ...(script.gzip === true ? { 'content-encoding': 'gzip' } : {}),
    });
    await delivery.write(sent);
    return delivery.end();
  }

  async #stream(exchange: Exchange, request: ChatRequest): Promise<void> {
    const { call, script, response, delivery } = exchange;
    const plan = planChat(request, script);
    const asked = request.stream_options?.include_usage === true;
    const usage = usageJson(script.usage, asked, plan, script);
    const parts = chatParts(call.id, call.model, plan, usage, script.chunk ?? 1, asked);
    const lineEnd = LINE_ENDS[script.lineEnd ?? 'lf'];
    const frame = (data: string): string =>
      `${script.comments === true ? `: still here${lineEnd}${lineEnd}` : ''}data: ${data}${lineEnd}${lineEnd}`;

    call.billed = { promptTokens: plan.promptTokens, completionTokens: 0 };
    call.status = 200;
    response.writeHead(200, SSE_HEADERS);
    let texts = 0;
    let held = '';
    const flush = async (): Promise<void> => {
      const ready = held;
      held = '';
      if (ready !== '') await delivery.write(ready);
      this.#record.progressed(call);
    };
    for (const part of parts) {
      if (script.fail !== undefined && script.fail !== 'no_done' && texts === (script.after ?? 0) && part.text) {
        await flush();
        return this.#breakOff(exchange, frame, lineEnd);
      }
      held += frame(part.data);
      call.chunks += 1;
      call.billed.completionTokens += part.tokens;
      if (part.text) texts += 1;
      if ((script.interval ?? 0) > 0) {
        await flush();
        await delivery.wait(script.interval ?? 0);
      } else if (held.length >= WRITE_BYTES) {
        await flush();
      }
    }
    await flush();
    // A break-off that was asked for after more chunks than there are comes at the end.
    if (script.fail !== undefined && script.fail !== 'no_done') return this.#breakOff(exchange, frame, lineEnd);
    if (script.fail !== 'no_done') await delivery.write(frame('[DONE]'));
    return delivery.end();
  }

  /** The way a stream goes wrong once its good part is sent. */
  async #breakOff(exchange: Exchange, frame: (data: string) => string, lineEnd: string): Promise<void> {
    const { script, delivery } = exchange;
    switch (script.fail) {
      case 'reset':
        return this.#cut(exchange);
      case 'silence':
        return delivery.silence();
      case 'error_in_200':
        await delivery.write(frame(errorBody(script.status ?? 500, script.code)));
        return delivery.end();
      case 'garbage':
        await delivery.write(garbage(script.bytes ?? 512));
        await delivery.write(frame('{"choices":[{"delta":'));
        return delivery.end();
      case 'huge_chunk':
        await delivery.write('data: {"padding":"');
        await this.#pad(exchange);
        await delivery.write(`"}${lineEnd}${lineEnd}`);
        return delivery.end();
      default:
        return delivery.end();
    }
  }

  async #pad({ script, delivery }: Exchange): Promise<void> {
    const block = 'x'.repeat(64 * 1024);
    for (let left = script.bytes ?? HUGE_BYTES; left > 0; left -= block.length) await delivery.write(block.slice(0, left));
  }

  /** Resets the connection once the kernel has all that was written: a reset discards what is still on its way out. */
  async #cut({ response }: Exchange): Promise<void> {
    const socket = response.socket;
    if (socket === null) return;
    do await nextTurn();
    while (socket.writableLength > 0 && !socket.destroyed);
    socket.resetAndDestroy();
  }

  /** Status line and headers a few bytes at a time, past the response object. */
  async #dribble({ script, response, delivery, call }: Exchange, body: string): Promise<void> {
    const socket = response.socket;
    if (socket === null) throw new ClientGone();
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: ${call.id}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
    for (let from = 0; from < head.length; from += 24) {
      if (delivery.clientGone) throw new ClientGone();
      socket.write(head.slice(from, from + 24));
      await pause(script.slowHeaders);
    }
    await new Promise<void>((resolve) => socket.end(body, () => resolve()));
  }
}

/** Starts the fake provider on loopback. */
export async function startFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const provider = new Provider(options);
  await provider.listen(options.port ?? 0);
  return provider;
}
