import { expect } from 'chai';
import OpenAI from 'openai';
import { geminiError, startGeminiMock, THOUGHT_SIGNATURE } from '../../support/fake-upstream/gemini-mock.ts';
import { eventReply, jsonReply, type MockServer } from '../../support/fake-upstream/mock-server.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const ASKED = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello.' }] };
const TOOLS = [
  { type: 'function' as const, function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
];
const USAGE = { input: 20, cachedInput: 5, output: 12, reasoning: 4 };

describe('an upstream that speaks Gemini’s generateContent, before the official OpenAI client', () => {
  let upstream: MockServer;
  let relay: RelayHarness;
  let client: OpenAI;

  before(async () => {
    upstream = await startGeminiMock();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.requests.length = 0;
    relay = await startRelay();
    relay.directory.channels = [
      channel(`${upstream.url}/v1beta`, { provider: 'gemini', models: ['m=gemini-3-flash', 'e=gemini-embedding-001'], keys: ['AIza'] }),
    ];
    relay.directory.prices.set('m', chatPrice('m'));
    relay.directory.prices.set('e', chatPrice('e', { kind: 'embedding' }));
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
    expect(completion.usage).to.deep.include({ prompt_tokens: 25, completion_tokens: 16, total_tokens: 41 });
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([USAGE]);
    const [asked] = upstream.requests;
    expect([asked?.path, asked?.headers['x-goog-api-key']]).to.deep.equal(['/v1beta/models/gemini-3-flash:generateContent', 'AIza']);
    expect(asked?.json).to.deep.equal({ contents: [{ role: 'user', parts: [{ text: 'Hello.' }] }] });
  });

  it('streams, and tells usage in a chunk of its own', async () => {
    const stream = client.chat.completions.stream({ ...ASKED, stream_options: { include_usage: true } });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]?.message.content).to.equal('Hello there.');
    expect(completion.usage).to.deep.include({ prompt_tokens: 25, completion_tokens: 16 });
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([USAGE]);
  });

  it('calls tools, thinks, and gets its signatures back', async () => {
    const asked = { ...ASKED, tools: TOOLS, reasoning_effort: 'low' as const };
    const whole = await client.chat.completions.create(asked);
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
    expect(whole.choices[0]?.message).to.have.property('reasoning_content', 'Let me think.');
    for (const { choices } of [whole, streamed]) {
      const message = choices[0]?.message;
      expect(choices[0]?.finish_reason).to.equal('tool_calls');
      const calls = (message?.tool_calls ?? []).map((call) => (call.type === 'function' ? call.function.arguments : ''));
      expect(calls).to.deep.equal(['{"city":"Oslo"}', '{"city":"Rome"}']);
      const results = (message?.tool_calls ?? []).map(({ id }) => ({
        role: 'tool' as const,
        tool_call_id: id,
        content: '{"sky":"clear"}',
      }));
      const { parsed: _parsed, ...said } = message as NonNullable<typeof message> & { parsed?: unknown };
      const next = await client.chat.completions.create({ ...asked, messages: [...ASKED.messages, said, ...results.reverse()] });
      expect(next.choices[0]?.message.content).to.equal('It is sunny in both.');
      const contents = upstream.requests.at(-1)?.json['contents'] as {
        parts: { thoughtSignature?: string; functionResponse?: object }[];
      }[];
      expect(contents[1]?.parts.map(({ thoughtSignature }) => thoughtSignature)).to.deep.equal([undefined, THOUGHT_SIGNATURE, undefined]);
      expect(contents[2]?.parts[0]?.functionResponse).to.deep.include({ name: 'weather', response: { sky: 'clear' } });
    }
  });

  it('embeds, in numbers and in base64, counting what the upstream does not', async () => {
    const { data } = await client.embeddings.create({ model: 'e', input: ['a', 'b'], dimensions: 3 });
    expect(data.map(({ embedding }) => [...embedding])).to.deep.equal([
      [0, 0.5, -0.25],
      [1, 0.5, -0.25],
    ]);
    expect(relay.spending.charges.map(({ basis, usage }) => [basis, usage])).to.deep.equal([['estimated', { input: 2 }]]);
    expect((upstream.requests[0]?.json['requests'] as unknown[])[0]).to.deep.equal({
      model: 'models/gemini-embedding-001',
      content: { parts: [{ text: 'a' }] },
      outputDimensionality: 3,
    });
    const tokens = await client.embeddings.create({ model: 'e', input: [1, 2] }).catch((thrown: unknown) => thrown);
    expect(tokens).to.be.instanceOf(OpenAI.BadRequestError).and.to.have.property('param', 'input');
  });

  it('judges errors by what they mean', async () => {
    relay.directory.channels = [channel(`${upstream.url}/v1beta`, { provider: 'gemini', keys: ['a', 'b', 'c'] })];
    upstream.next.push(
      geminiError(400, 'INVALID_ARGUMENT', 'API key not valid.', [{ reason: 'API_KEY_INVALID' }]),
      geminiError(400, 'FAILED_PRECONDITION', 'Enable billing on project 1.'),
    );
    await client.chat.completions.create(ASKED);
    expect(relay.health.refusedKeys).to.have.length(1);
    expect(upstream.requests).to.have.length(3);
    relay.directory.channels = [channel(`${upstream.url}/v1beta`, { provider: 'gemini' })];
    upstream.next.push(geminiError(429, 'RESOURCE_EXHAUSTED', 'Quota', [{ '@type': 'RetryInfo', retryDelay: '34s' }]));
    const limited = await client.chat.completions.create(ASKED).catch((thrown: unknown) => thrown as InstanceType<typeof OpenAI.APIError>);
    expect(limited).to.be.instanceOf(OpenAI.RateLimitError);
    expect((limited as InstanceType<typeof OpenAI.APIError>).headers?.get('retry-after')).to.equal('34');
    relay.directory.channels = [channel(`${upstream.url}/v1beta`, { provider: 'gemini' })];
    upstream.next.push(geminiError(400, 'INVALID_ARGUMENT', 'Schema is wrong.'));
    const wrong = await client.chat.completions.create(ASKED).catch((thrown: unknown) => thrown);
    expect(wrong).to.be.instanceOf(OpenAI.BadRequestError).and.to.have.property('message').that.includes('Schema is wrong.');
  });

  it('tells of a prompt that was blocked', async () => {
    const blocked = {
      promptFeedback: { blockReason: 'SAFETY' },
      usageMetadata: { promptTokenCount: 8, totalTokenCount: 8 },
      modelVersion: 'g',
    };
    upstream.next.push(jsonReply(200, blocked), eventReply([`data: ${JSON.stringify(blocked)}\n\n`]));
    const whole = await client.chat.completions.create(ASKED);
    const streamed = await client.chat.completions.stream(ASKED).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]?.finish_reason).to.equal('content_filter');
      expect(choices[0]?.message.refusal).to.include('SAFETY');
    }
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([{ input: 8 }, { input: 8 }]);
  });

  it('does not take a stream that stops without a reason for a whole one', async () => {
    upstream.next.push(
      eventReply(['data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Hel"}]},"index":0}],"responseId":"r"}\n\n']),
    );
    const error = await client.chat.completions
      .stream(ASKED)
      .finalChatCompletion()
      .catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Error);
    expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated']);
  });
});
