import { expect } from 'chai';
import OpenAI from 'openai';
import { fakeEmbedding, fakeText } from '../../support/fake-upstream/answer.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { startSandbox, type Sandbox } from '../../../gateways/sandbox/sandbox-server.ts';
import { sandboxPrices } from '../../../gateways/sandbox/prices.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';
import type { Money } from '../../../schemas/money.ts';

const MESSAGES = [{ role: 'user' as const, content: 'What is in the ledger?' }];

describe('the official OpenAI client', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;
  let sandbox: Sandbox;
  let client: OpenAI;

  before(async () => {
    upstream = await startFakeUpstream();
    sandbox = await startSandbox();
  });
  after(async () => {
    await upstream.close();
    await sandbox.close();
  });
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay({ sandboxUrl: () => sandbox.baseUrl });
    relay.directory.channels = [
      channel(upstream.baseUrl, { models: ['m=fake-small', 'e=fake-embed'] }),
      channel('http://sandbox.invalid/v1', { provider: 'sandbox', keys: [], models: sandboxPrices.map(({ model }) => model) }),
    ];
    relay.directory.prices.set('m', chatPrice('m'));
    relay.directory.prices.set('e', { model: 'e', kind: 'embedding', rates: { input: 100_000_000n as Money } });
    for (const price of sandboxPrices) relay.directory.prices.set(price.model, price);
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  it('completes a chat', async () => {
    const { data, response } = await client.chat.completions.create({ model: 'm', messages: MESSAGES }).withResponse();
    expect(data.choices[0]?.message.content).to.equal(fakeText(16));
    expect(data.model).to.equal('m');
    expect((data as { _request_id?: string })._request_id).to.equal(response.headers.get('x-request-id'));
  });

  it('streams, with usage and without', async () => {
    for (const usage of [true, false]) {
      const stream = await client.chat.completions.create({
        model: 'm',
        messages: MESSAGES,
        stream: true,
        ...(usage ? { stream_options: { include_usage: true } } : {}),
      });
      let text = '';
      let last: OpenAI.ChatCompletionChunk | undefined;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        last = chunk;
      }
      expect(text).to.equal(fakeText(16));
      expect(last?.usage?.completion_tokens).to.equal(usage ? 16 : undefined);
      if (usage) expect((last?.usage as unknown as { cost: string }).cost).to.match(/^0\.000\d+$/);
    }
  });

  it('helps with streams', async () => {
    const final = await client.chat.completions
      .stream({ model: 'm', messages: MESSAGES, stream_options: { include_usage: true } })
      .finalChatCompletion();
    expect(final.choices[0]?.message.content).to.equal(fakeText(16));
    expect(final.usage?.completion_tokens).to.equal(16);
  });

  it('gets tool calls, whole and streamed', async () => {
    upstream.when({}, { tools: 2 });
    const tools = [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object', properties: {} } } }];
    const whole = await client.chat.completions.create({ model: 'm', messages: MESSAGES, tools });
    expect(whole.choices[0]?.message.tool_calls).to.have.length(2);
    const streamed = await client.chat.completions.stream({ model: 'm', messages: MESSAGES, tools }).finalChatCompletion();
    expect(streamed.choices[0]?.message.tool_calls?.map(({ type }) => type)).to.deep.equal(['function', 'function']);
  });

  it('embeds, asking for base64 as it does by itself, and for numbers', async () => {
    const vector = [...fakeEmbedding('ledger')];
    for (const format of [undefined, 'float', 'base64'] as const) {
      const { data, usage } = await client.embeddings.create({
        model: 'e',
        input: ['ledger', 'book'],
        ...(format === undefined ? {} : { encoding_format: format }),
      });
      expect(data).to.have.length(2);
      if (format === 'base64') expect(data[0]?.embedding).to.be.a('string');
      else expect(data[0]?.embedding).to.deep.equal(vector);
      expect(usage.prompt_tokens).to.equal(3);
    }
    expect(relay.spending.charges.map(({ usage, computed }) => [usage, computed])).to.deep.equal(
      Array.from({ length: 3 }, () => [{ input: 3 }, 300n]),
    );
  });

  it('reads vectors from an upstream that only knows numbers', async () => {
    const { createServer } = await import('node:http');
    const server = createServer((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': 'application/json' });
      res.end(
        '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25,1]}],"model":"x","usage":{"prompt_tokens":2,"total_tokens":2}}',
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    relay.directory.channels = [channel(`http://127.0.0.1:${(server.address() as { port: number }).port}/v1`, { models: ['e'] })];
    const { data } = await client.embeddings.create({ model: 'e', input: 'x' });
    expect(data[0]?.embedding).to.deep.equal([0.5, -0.25, 1]);
    server.close();
    server.closeAllConnections();
  });

  it('lists models and finds one, whatever is in its name', async () => {
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['m', 'maker/model:free', 'no-price'] })];
    relay.directory.prices.set('maker/model:free', chatPrice('maker/model:free'));
    expect((await client.models.list()).data.map(({ id }) => id)).to.deep.equal(['m', 'maker/model:free']);
    expect((await client.models.retrieve('maker/model:free')).id).to.equal('maker/model:free');
    relay.directory.token = { ...relay.directory.token, restrictions: { ...relay.directory.token.restrictions, models: ['m'] } };
    expect((await client.models.list()).data.map(({ id }) => id)).to.deep.equal(['m']);
    await refusedAs(client.models.retrieve('maker/model:free'), OpenAI.NotFoundError, 'model_not_found');
  });

  const refusedAs = async (promise: Promise<unknown>, kind: new (...args: never[]) => Error, code: string): Promise<void> => {
    const error: unknown = await promise.then(
      () => expect.fail('was answered'),
      (caught: unknown) => caught,
    );
    expect(error).to.be.instanceOf(kind);
    expect((error as { code: string }).code).to.equal(code);
    expect((error as { requestID: string }).requestID).to.match(/^req_/);
  };

  it('throws the class of error that fits', async () => {
    const chat = (model = 'm'): Promise<unknown> => client.chat.completions.create({ model, messages: MESSAGES });
    await refusedAs(
      new OpenAI({ apiKey: 'sk-obl-wrong', baseURL: relay.baseUrl, maxRetries: 0 }).models.list(),
      OpenAI.AuthenticationError,
      'invalid_api_key',
    );
    await refusedAs(chat('nope'), OpenAI.NotFoundError, 'model_not_found');
    await refusedAs(client.chat.completions.create({ model: 'm', messages: MESSAGES, n: 0 }), OpenAI.BadRequestError, 'invalid_request');
    upstream.when({}, { fail: 'status', status: 400, code: 'context_length_exceeded' });
    await refusedAs(chat(), OpenAI.BadRequestError, 'context_length_exceeded');
    upstream.when({}, { fail: 'status', status: 500 });
    await refusedAs(chat(), OpenAI.InternalServerError, 'upstream_failed');
    upstream.when({}, { fail: 'status', status: 429, retryAfter: 1 });
    await refusedAs(chat(), OpenAI.RateLimitError, 'upstream_rate_limited');
    relay.directory.token = { ...relay.directory.token, restrictions: { ...relay.directory.token.restrictions, endpoints: ['models'] } };
    await refusedAs(chat(), OpenAI.PermissionDeniedError, 'endpoint_not_allowed');
  });

  it('raises an error that comes in the middle of a stream', async () => {
    upstream.when({}, { fail: 'reset', after: 2, interval: 1 });
    const stream = await client.chat.completions.create({ model: 'm', messages: MESSAGES, stream: true });
    let text = '';
    const error: unknown = await (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    })().catch((caught: unknown) => caught);
    expect(text).not.to.equal('');
    expect(error).to.be.instanceOf(OpenAI.APIError);
    expect((error as { code: string }).code).to.equal('upstream_failed');
  });

  it('tries again by itself where that helps, and not where it does not', async () => {
    const patient = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 2 });
    upstream.when({ times: 1 }, { fail: 'status', status: 500 });
    expect((await patient.chat.completions.create({ model: 'm', messages: MESSAGES })).choices).to.have.length(1);
    expect(relay.spending.charges).to.have.length(1);
    relay.spending.balance = 0n as Money;
    await refusedAs(patient.chat.completions.create({ model: 'm', messages: MESSAGES }), OpenAI.RateLimitError, 'insufficient_quota');
    expect(relay.lines.filter(({ errorCode }) => errorCode === 'insufficient_quota')).to.have.length(1);
  });

  it('gives up when its time is up; the call is paid for, once', async () => {
    upstream.when({}, { latency: 150 });
    const hasty = new OpenAI({
      ...{ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0, timeout: 50 },
      // It leaves when its time is up, but not before the call has come as far as the upstream.
      fetch: (url, init) => {
        const left = new AbortController();
        init?.signal?.addEventListener('abort', () => void upstream.call(() => true).then(() => left.abort()));
        return fetch(url, { ...init, signal: left.signal });
      },
    });
    const error: unknown = await hasty.chat.completions.create({ model: 'm', messages: MESSAGES }).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(OpenAI.APIConnectionTimeoutError);
    await upstream.call(({ outcome }) => outcome === 'complete');
    await relay.idle();
    expect(relay.spending.charges).to.have.length(1);
  });

  it('talks to the sandbox: text, tools, reasoning, vectors', async () => {
    const echo = await client.chat.completions.create({ model: 'sandbox-echo', messages: MESSAGES });
    expect(echo.choices[0]?.message.content).to.equal(MESSAGES[0]?.content);
    const short = await client.chat.completions.stream({ model: 'sandbox-story', messages: MESSAGES, max_tokens: 5 }).finalChatCompletion();
    expect(short.choices[0]?.finish_reason).to.equal('length');
    const tools = [
      {
        type: 'function' as const,
        function: {
          name: 'weather',
          parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 2 } } },
        },
      },
    ];
    const called = await client.chat.completions.stream({ model: 'sandbox-tools', messages: MESSAGES, tools }).finalChatCompletion();
    const call = called.choices[0]?.message.tool_calls?.[0];
    expect(call?.function.name).to.equal('weather');
    expect(JSON.parse(call?.function.arguments ?? '')).to.deep.include({ days: 2 });
    const told = await client.chat.completions.create({
      model: 'sandbox-tools',
      tools,
      messages: [
        ...MESSAGES,
        called.choices[0]?.message as OpenAI.ChatCompletionMessageParam,
        { role: 'tool', tool_call_id: call?.id ?? '', content: 'sunny' },
      ],
    });
    expect(told.choices[0]?.message.content).to.contain('sunny');
    const thought = await client.chat.completions.create({
      model: 'sandbox-reasoning',
      messages: MESSAGES,
      sandbox: { tokens_per_second: 10_000 },
    } as OpenAI.ChatCompletionCreateParamsNonStreaming);
    expect(thought.usage?.completion_tokens_details?.reasoning_tokens).to.be.greaterThan(5);
    const { data } = await client.embeddings.create({
      model: 'sandbox-embedding',
      input: ['a ledger of entries', 'entries in a ledger', 'weather forecast'],
    });
    const [a, b, c] = data.map(({ embedding }) => embedding) as [number[], number[], number[]];
    const dot = (x: readonly number[], y: readonly number[]): number => x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
    expect(dot(a, a)).to.be.closeTo(1, 1e-5);
    expect(dot(a, b)).to.be.greaterThan(dot(a, c) + 0.2);
    await relay.idle();
    expect(relay.spending.charges.every(({ basis, computed }) => basis === 'reported' && computed > 0n)).to.equal(true);
  });
});
