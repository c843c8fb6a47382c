import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'chai';
import { sandboxPrices } from '../../../gateways/sandbox/prices.ts';
import { startSandbox, type Sandbox } from '../../../gateways/sandbox/sandbox-server.ts';
import type { Money } from '../../../schemas/money.ts';
import { fakeText } from '../../support/fake-upstream/answer.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const ASKED = { model: 'm', max_tokens: 64, messages: [{ role: 'user' as const, content: 'What is in the ledger?' }] };
const TOOL: Anthropic.Tool = { name: 'look', input_schema: { type: 'object', properties: {} } };

describe('the official Anthropic client, before an upstream that speaks OpenAI’s format', () => {
  let upstream: FakeUpstream;
  let sandbox: Sandbox;
  let relay: RelayHarness;
  let client: Anthropic;

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
    client = new Anthropic({ apiKey: KEY, baseURL: relay.url, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  it('gets a message, and pays for it as the upstream reported', async () => {
    upstream.when({}, { prompt: 20, cached: 5 });
    const message = await client.messages.create(ASKED);
    expect(message.content).to.deep.equal([{ type: 'text', text: fakeText(16) }]);
    expect([message.role, message.model, message.stop_reason]).to.deep.equal(['assistant', 'm', 'end_turn']);
    expect(message.usage).to.deep.include({ input_tokens: 15, cache_read_input_tokens: 5, output_tokens: 16 });
    expect(message._request_id).to.match(/^req_/);
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([{ input: 15, cachedInput: 5, output: 16 }]);
  });

  it('streams a message, whose usage comes at its end', async () => {
    upstream.when({}, { prompt: 20, cached: 5, chunk: 4 });
    const stream = client.messages.stream(ASKED);
    const events: string[] = [];
    for await (const event of stream) events.push(event.type);
    const message = await stream.finalMessage();
    expect(message.content).to.deep.equal([{ type: 'text', text: fakeText(16) }]);
    expect(message.stop_reason).to.equal('end_turn');
    expect(message.usage).to.deep.include({ input_tokens: 15, cache_read_input_tokens: 5, output_tokens: 16 });
    expect(events.slice(0, 3)).to.deep.equal(['message_start', 'content_block_start', 'content_block_delta']);
    expect(events.slice(-3)).to.deep.equal(['content_block_stop', 'message_delta', 'message_stop']);
  });

  it('calls tools, several at once, whole and streamed, and tells their results', async () => {
    upstream.when({}, { tools: 2 });
    const whole = await client.messages.create({ ...ASKED, tools: [TOOL] });
    const streamed = await client.messages.stream({ ...ASKED, tools: [TOOL] }).finalMessage();
    for (const message of [whole, streamed]) {
      expect(message.stop_reason).to.equal('tool_use');
      const calls = message.content.filter((block) => block.type === 'tool_use');
      expect(calls).to.have.length(2);
      for (const call of calls) expect(call.input).to.be.an('object');
    }
    upstream.when({}, { tools: 0 });
    const calls = whole.content.filter((block) => block.type === 'tool_use');
    await client.messages.create({
      ...ASKED,
      tools: [TOOL],
      messages: [
        ...ASKED.messages,
        { role: 'assistant', content: whole.content },
        { role: 'user', content: calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'seen' })) },
      ],
    });
  });

  it('reads thoughts before the text', async () => {
    const sandboxed = { ...ASKED, model: 'sandbox-reasoning', max_tokens: 400, sandbox: { tokens_per_second: 10_000 } };
    const message = await client.messages.stream(sandboxed).finalMessage();
    expect(message.content.map(({ type }) => type)).to.deep.equal(['thinking', 'text']);
  });

  it('counts tokens', async () => {
    const { input_tokens: short } = await client.messages.countTokens({ model: 'm', messages: ASKED.messages });
    const { input_tokens: long } = await client.messages.countTokens({
      model: 'm',
      system: 'Answer in one sentence, as an accountant would.',
      tools: [TOOL],
      messages: ASKED.messages,
    });
    expect(short).to.be.greaterThan(5);
    expect(long).to.be.greaterThan(short + 10);
    expect(relay.spending.charges).to.deep.equal([]);
  });

  it('lists models', async () => {
    const listed: string[] = [];
    for await (const { id, type } of client.models.list()) listed.push(`${type} ${id}`);
    expect(listed).to.include('model m');
    expect((await client.models.retrieve('m')).id).to.equal('m');
  });

  it('throws the class of error that fits, with what was said', async () => {
    const thrown = (promise: Promise<unknown>): Promise<unknown> =>
      promise.then(
        () => expect.fail('was answered'),
        (error: unknown) => error,
      );
    const wrong = await thrown(new Anthropic({ apiKey: 'sk-obl-wrong', baseURL: relay.url, maxRetries: 0 }).messages.create(ASKED));
    expect(wrong).to.be.instanceOf(Anthropic.AuthenticationError);
    expect((wrong as Error).message)
      .to.contain('authentication_error')
      .and.to.contain('The API key is not valid');
    expect(await thrown(client.messages.create({ ...ASKED, model: 'nope' }))).to.be.instanceOf(Anthropic.NotFoundError);
    const unsayable = await thrown(
      client.messages.create({
        ...ASKED,
        tools: [{ type: 'web_search_20250305', name: 'web_search' }],
      } as Anthropic.MessageCreateParamsNonStreaming),
    );
    expect(unsayable).to.be.instanceOf(Anthropic.BadRequestError);
    expect((unsayable as Error).message).to.contain('web_search_20250305');
    upstream.when({}, { fail: 'status', status: 400, code: 'context_length_exceeded' });
    expect(await thrown(client.messages.create(ASKED))).to.be.instanceOf(Anthropic.BadRequestError);
    upstream.when({}, { fail: 'status', status: 500 });
    expect(await thrown(client.messages.create(ASKED))).to.be.instanceOf(Anthropic.InternalServerError);
    relay.spending.balance = 0n as Money;
    expect(await thrown(client.messages.create(ASKED))).to.be.instanceOf(Anthropic.RateLimitError);
  });

  it('raises an error that comes in the middle of a stream', async () => {
    upstream.when({}, { fail: 'reset', after: 2, interval: 1, chunk: 4 });
    let text = '';
    const stream = client.messages.stream(ASKED);
    stream.on('text', (piece) => {
      text += piece;
    });
    const error: unknown = await stream.finalMessage().catch((caught: unknown) => caught);
    expect(text).not.to.equal('');
    expect(error).to.be.instanceOf(Anthropic.APIError);
    await relay.idle();
    expect(relay.spending.charges).to.have.length(1);
  });

  it('is answered whichever way it sends its key', async () => {
    const ways: Record<string, string>[] = [{ 'x-api-key': KEY }, { authorization: `Bearer ${KEY}` }];
    for (const headers of ways) {
      const response = await fetch(`${relay.url}/v1/messages?beta=true`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
        body: JSON.stringify(ASKED),
      });
      expect(response.status).to.equal(200);
      expect(response.headers.get('request-id')).to.match(/^req_/);
    }
  });

  it('leaves: the upstream is told, and what was produced is charged', async () => {
    upstream.when({}, { tokens: 2_000, interval: 5, chunk: 1 });
    const stream = client.messages.stream({ ...ASKED, max_tokens: 4_000 });
    let pieces = 0;
    stream.on('text', () => {
      if (++pieces === 3) stream.abort();
    });
    await stream.finalMessage().catch(() => undefined);
    await relay.idle();
    expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated']);
  });
});
