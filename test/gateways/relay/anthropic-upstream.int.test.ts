import { expect } from 'chai';
import OpenAI from 'openai';
import { anthropicError, SIGNATURE, startAnthropicMock } from '../../support/fake-upstream/anthropic-mock.ts';
import { eventReply, type MockServer } from '../../support/fake-upstream/mock-server.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const ASKED = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello.' }] };
const TOOLS = [
  { type: 'function' as const, function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
];
const USAGE = { input: 20, cachedInput: 5, cacheWrite5m: 6, cacheWrite1h: 3, output: 12, reasoning: 4 };

describe('an upstream that speaks Anthropic’s Messages, before the official OpenAI client', () => {
  let upstream: MockServer;
  let relay: RelayHarness;
  let client: OpenAI;

  before(async () => {
    upstream = await startAnthropicMock();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.requests.length = 0;
    relay = await startRelay();
    relay.directory.channels = [
      channel(`${upstream.url}/v1`, { provider: 'anthropic', models: ['m=claude-sonnet-4-5'], keys: ['sk-ant'] }),
    ];
    relay.directory.prices.set('m', chatPrice('m'));
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  it('answers, and is charged by class', async () => {
    const completion = await client.chat.completions.create(ASKED);
    expect(completion.choices[0]?.message.content).to.equal('Hello there.');
    expect([completion.model, completion.choices[0]?.finish_reason]).to.deep.equal(['m', 'stop']);
    expect(completion.usage).to.deep.include({ prompt_tokens: 34, completion_tokens: 16, total_tokens: 50 });
    expect(completion.usage?.prompt_tokens_details).to.deep.equal({ cached_tokens: 5, cache_write_tokens: 9, cache_write_1h_tokens: 3 });
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([USAGE]);
    const [asked] = upstream.requests;
    expect([asked?.path, asked?.headers['x-api-key'], asked?.headers['anthropic-version']]).to.deep.equal([
      '/v1/messages',
      'sk-ant',
      '2023-06-01',
    ]);
    expect(asked?.headers).not.to.have.property('authorization');
    expect(asked?.json).to.deep.equal({ model: 'claude-sonnet-4-5', max_tokens: 4_096, messages: [{ role: 'user', content: 'Hello.' }] });
  });

  it('streams, and tells usage in a chunk of its own', async () => {
    const stream = client.chat.completions.stream({ ...ASKED, stream_options: { include_usage: true } });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]?.message.content).to.equal('Hello there.');
    expect(completion.usage).to.deep.include({ prompt_tokens: 34, completion_tokens: 16 });
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([USAGE]);
  });

  it('calls tools, thinks, and gets its thoughts back with their signatures', async () => {
    const asked = { ...ASKED, tools: TOOLS, reasoning_effort: 'low' as const, max_completion_tokens: 2_000 };
    const whole = await client.chat.completions.create(asked);
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
    // The client's own collector keeps the last piece only of what it does not know.
    expect(whole.choices[0]?.message).to.have.property('reasoning_content', 'Let me think.');
    for (const { choices } of [whole, streamed]) {
      const message = choices[0]?.message;
      expect(choices[0]?.finish_reason).to.equal('tool_calls');
      const calls = (message?.tool_calls ?? []).map((call) => (call.type === 'function' ? call.function.arguments : ''));
      expect(calls).to.deep.equal(['{"city":"Oslo"}', '{"city":"Rome"}']);
      const results = (message?.tool_calls ?? []).map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'sunny' }));
      const { parsed: _parsed, ...said } = message as NonNullable<typeof message> & { parsed?: unknown };
      const next = await client.chat.completions.create({ ...asked, messages: [...ASKED.messages, said, ...results.reverse()] });
      expect(next.choices[0]?.message.content).to.equal('It is sunny in both.');
      const turn = (upstream.requests.at(-1)?.json['messages'] as { content: { type: string; signature?: string }[] }[])[1];
      expect(turn?.content[0]).to.deep.include({ type: 'thinking', signature: SIGNATURE });
    }
  });

  it('goes on without thinking where a client forgot the thoughts behind its calls', async () => {
    const call = { id: 'call 1', type: 'function' as const, function: { name: 'weather', arguments: '{"city":"Oslo"}' } };
    const messages = [
      ...ASKED.messages,
      { role: 'assistant' as const, content: null, tool_calls: [call] },
      { role: 'tool' as const, tool_call_id: 'call 1', content: 'sunny' },
    ];
    await client.chat.completions.create({ ...ASKED, messages, tools: TOOLS, reasoning_effort: 'high', max_tokens: 5_000 });
    expect(upstream.requests[0]?.json).not.to.have.property('thinking');
  });

  it('fails over from one that is overloaded, rests a key without money, and waits as long as it is told', async () => {
    const second = channel(`${upstream.url}/v1`, { provider: 'anthropic', keys: ['a', 'b', 'c'] });
    relay.directory.channels = [second];
    upstream.next.push(
      anthropicError(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
      anthropicError(429, 'rate_limit_error', 'Too many tokens', { 'retry-after': '7' }),
    );
    await client.chat.completions.create(ASKED);
    expect(upstream.requests).to.have.length(3);
    upstream.next.push(anthropicError(529, 'overloaded_error', 'Overloaded'));
    const overloaded = await client.chat.completions.create(ASKED).catch((error: unknown) => error);
    expect(overloaded).to.be.instanceOf(OpenAI.InternalServerError).and.to.have.property('status', 502);
  });

  it('passes on what it says of a request that is wrong', async () => {
    upstream.next.push(anthropicError(400, 'invalid_request_error', 'prompt is too long: 300000 tokens > 200000 maximum'));
    const error = await client.chat.completions.create(ASKED).catch((thrown: unknown) => thrown);
    expect(error)
      .to.be.instanceOf(OpenAI.BadRequestError)
      .and.to.include({ code: 'context_length_exceeded', type: 'invalid_request_error' });
  });

  it('refuses what it cannot say, by name', async () => {
    const error = await client.chat.completions.create({ ...ASKED, n: 2 }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(OpenAI.BadRequestError).and.to.have.property('param', 'n');
    relay.directory.channels = [channel(`${upstream.url}/v1`, { provider: 'anthropic', models: ['e'] })];
    relay.directory.prices.set('e', chatPrice('e', { kind: 'embedding' }));
    const embeddings = await client.embeddings.create({ model: 'e', input: 'x' }).catch((thrown: unknown) => thrown);
    expect(embeddings).to.be.instanceOf(OpenAI.BadRequestError);
    expect(upstream.requests).to.deep.equal([]);
  });

  it('tells of an error in the middle of a stream, and charges what was produced', async () => {
    upstream.next.push(
      eventReply([
        'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"c","content":[],"usage":{"input_tokens":5,"output_tokens":1}}}\n\n',
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}\n\n',
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
      ]),
    );
    const said: string[] = [];
    const error = await (async () => {
      for await (const chunk of await client.chat.completions.create({ ...ASKED, stream: true }))
        said.push(chunk.choices[0]?.delta.content ?? '');
    })().catch((thrown: unknown) => thrown);
    expect(said.join('')).to.equal('Hel');
    expect(error).to.have.property('message').that.includes('Overloaded');
    expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated']);
  });
});
