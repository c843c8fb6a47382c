import { expect } from 'chai';
import OpenAI from 'openai';
import { sandboxPrices } from '../../../gateways/sandbox/prices.ts';
import { startSandbox, type Sandbox } from '../../../gateways/sandbox/sandbox-server.ts';
import type { Money } from '../../../schemas/money.ts';
import { fakeText } from '../../support/fake-upstream/answer.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const ASKED = { model: 'm', input: 'What is in the ledger?' };
const TOOL = { type: 'function' as const, name: 'look', parameters: { type: 'object', properties: {} }, strict: false };

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('was answered'),
    (error: unknown) => error,
  );

describe('the official OpenAI client’s Responses API, before an upstream that only speaks chat completions', () => {
  let upstream: FakeUpstream;
  let sandbox: Sandbox;
  let relay: RelayHarness;
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
      channel(upstream.baseUrl, { models: ['m=fake-small'] }),
      channel('http://sandbox.invalid/v1', { provider: 'sandbox', keys: [], models: sandboxPrices.map(({ model }) => model) }),
    ];
    relay.directory.prices.set('m', chatPrice('m'));
    for (const price of sandboxPrices) relay.directory.prices.set(price.model, price);
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  it('gets a response, and pays for it as the upstream reported', async () => {
    upstream.when({}, { prompt: 20, cached: 5 });
    const response = await client.responses.create({ ...ASKED, metadata: { a: 'b' }, instructions: 'Be brief.' });
    expect(response.output_text).to.equal(fakeText(16));
    expect(response).to.deep.include({
      object: 'response',
      status: 'completed',
      model: 'm',
      instructions: 'Be brief.',
      metadata: { a: 'b' },
    });
    expect(response.id).to.match(/^resp_/);
    expect(response.usage).to.deep.equal({
      input_tokens: 20,
      input_tokens_details: { cached_tokens: 5, cache_write_tokens: 0 },
      output_tokens: 16,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 36,
    });
    expect(relay.spending.charges.map(({ usage, call }) => [usage, call.dialect])).to.deep.equal([
      [{ input: 15, cachedInput: 5, output: 16 }, 'responses'],
    ]);
  });

  it('streams a response, by events and with the helper', async () => {
    upstream.when({}, { prompt: 20, chunk: 4 });
    const numbers: number[] = [];
    let text = '';
    for await (const event of await client.responses.create({ ...ASKED, stream: true })) {
      numbers.push(event.sequence_number);
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    expect(text).to.equal(fakeText(16));
    expect(numbers).to.deep.equal(numbers.map((_, at) => at));
    const final = await client.responses.stream(ASKED).finalResponse();
    expect(final.output_text).to.equal(fakeText(16));
    expect(final.usage).to.deep.include({ input_tokens: 20, output_tokens: 16 });
  });

  it('says how an answer was cut short', async () => {
    const response = await client.responses.create({ ...ASKED, max_output_tokens: 4 });
    expect(response).to.deep.include({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  });

  it('calls tools, several at once, whole and streamed, and tells their results', async () => {
    upstream.when({}, { tools: 2 });
    const whole = await client.responses.create({ ...ASKED, tools: [TOOL] });
    const streamed = await client.responses.stream({ ...ASKED, tools: [TOOL] }).finalResponse();
    for (const { output } of [whole, streamed]) expect(output.map(({ type }) => type)).to.deep.equal(['function_call', 'function_call']);
    upstream.when({}, { tools: 0 });
    const calls = whole.output.filter((item) => item.type === 'function_call');
    const answer = await client.responses.create({
      ...ASKED,
      tools: [TOOL],
      input: [
        { role: 'user', content: ASKED.input },
        ...whole.output,
        ...calls.map(({ call_id }) => ({ type: 'function_call_output' as const, call_id, output: 'seen' })),
      ] as OpenAI.Responses.ResponseInput,
    });
    expect(answer.output_text).to.equal(fakeText(16));
    const sent = JSON.parse(String(upstream.calls.at(-1)?.body)) as { messages: { role: string }[] };
    expect(sent.messages.map(({ role }) => role)).to.deep.equal(['user', 'assistant', 'tool', 'tool']);
  });

  it('parses an answer that follows a schema', async () => {
    const response = await client.responses.parse({
      model: 'sandbox-tools',
      input: 'Give me a person.',
      max_output_tokens: 400,
      text: {
        format: {
          type: 'json_schema',
          name: 'person',
          strict: true,
          schema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false },
        },
      },
    });
    expect(response.status).to.equal('completed');
    expect(response.output_text).to.not.equal('');
  });

  it('reads thoughts before the text', async () => {
    const sandboxed = { model: 'sandbox-reasoning', input: 'Why?', max_output_tokens: 150 };
    const response = await client.responses.stream(sandboxed).finalResponse();
    expect(response.output.map(({ type }) => type)).to.deep.equal(['reasoning', 'message']);
    expect(response.usage?.output_tokens_details.reasoning_tokens).to.be.greaterThan(0);
  });

  it('counts input tokens, at no cost', async () => {
    const { input_tokens: short } = await client.responses.inputTokens.count({ model: 'm', input: 'Hello' });
    const { input_tokens: long } = await client.responses.inputTokens.count({ model: 'm', input: 'Hello', tools: [TOOL] });
    expect(short).to.be.greaterThan(3);
    expect(long).to.be.greaterThan(short);
    expect(relay.spending.charges).to.deep.equal([]);
  });

  it('throws the class of error that fits, with what was said', async () => {
    expect(await thrown(client.responses.create({ ...ASKED, model: 'nope' }))).to.be.instanceOf(OpenAI.NotFoundError);
    const unsayable = await thrown(client.responses.create({ ...ASKED, tools: [{ type: 'web_search' }] }));
    expect(unsayable).to.be.instanceOf(OpenAI.BadRequestError);
    expect(unsayable).to.deep.include({ param: 'tools.0' });
    upstream.when({}, { fail: 'status', status: 400, code: 'context_length_exceeded' });
    expect(await thrown(client.responses.create(ASKED))).to.deep.include({ status: 400, code: 'context_length_exceeded' });
    upstream.when({}, { fail: 'status', status: 500 });
    expect(await thrown(client.responses.create(ASKED))).to.be.instanceOf(OpenAI.InternalServerError);
    relay.spending.balance = 0n as Money;
    expect(await thrown(client.responses.create(ASKED))).to.be.instanceOf(OpenAI.RateLimitError);
  });

  it('raises an error that comes in the middle of a stream, and ends with what there was', async () => {
    for (const fail of ['reset', 'error_in_200'] as const) {
      upstream.when({}, { fail, after: 2, interval: 1, chunk: 4 });
      const response = await relay.post('/v1/responses', { ...ASKED, stream: true });
      const types = [...(await response.text()).matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
      expect(types.slice(-2), fail).to.deep.equal(['error', 'response.failed']);
      expect(types.filter((type) => type === 'response.output_text.delta').length, fail).to.equal(2);
      upstream.when({}, { fail, after: 2, interval: 1, chunk: 4 });
      expect(await thrown(client.responses.stream(ASKED).finalResponse()), fail).to.include({ type: 'error' });
    }
    await relay.idle();
    expect(relay.spending.charges).to.have.length(4);
  });

  it('leaves: the upstream is told, and what was produced is charged', async () => {
    upstream.when({}, { tokens: 2_000, interval: 5, chunk: 1 });
    const stream = client.responses.stream({ ...ASKED, max_output_tokens: 4_000 });
    let pieces = 0;
    stream.on('response.output_text.delta', () => {
      if (++pieces === 3) stream.abort();
    });
    await stream.finalResponse().catch(() => undefined);
    await relay.idle();
    expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated']);
  });
});
