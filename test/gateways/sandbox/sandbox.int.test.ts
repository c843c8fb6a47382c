import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import OpenAI from 'openai';
import { embed } from '../../../gateways/sandbox/embedding.ts';
import { exampleValue } from '../../../gateways/sandbox/example-value.ts';
import { SANDBOX_MODELS, sandboxPrices } from '../../../gateways/sandbox/prices.ts';
import { startSandbox, type Sandbox } from '../../../gateways/sandbox/sandbox-server.ts';
import { tokensOf } from '../../../gateways/sandbox/text.ts';
import { servableAnywhere } from '../../../gateways/relay/endpoints/endpoints.ts';
import { ModelPrice } from '../../../schemas/price.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Tell me about the lighthouse.' }];
const QUICK = { sandbox: { tokens_per_second: 100_000 } };

describe('the sandbox', () => {
  let sandbox: Sandbox;
  let client: OpenAI;

  before(async () => {
    sandbox = await startSandbox();
    client = new OpenAI({ apiKey: 'none', baseURL: sandbox.baseUrl, maxRetries: 0 });
  });
  after(() => sandbox.close());

  const complete = (more: object = {}): Promise<OpenAI.ChatCompletion> =>
    client.chat.completions.create({ model: 'sandbox-story', messages: MESSAGES, ...QUICK, ...more });

  it('lists its models, and has a price for each that can be charged and is not nothing', async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).to.deep.equal(SANDBOX_MODELS);
    for (const price of sandboxPrices) {
      expect(ModelPrice.encode(price), price.model).to.be.an('object');
      expect(servableAnywhere(price), price.model).to.equal(true);
      for (const rate of Object.values(price.rates)) expect(rate > 0n, price.model).to.equal(true);
    }
  });

  it('says the same thing every time', async () => {
    const [one, two] = [await complete(), await complete()];
    expect(one.choices).to.deep.equal(two.choices);
    const other = await complete({ messages: [{ role: 'user', content: 'Something else' }] });
    expect(other.choices[0]?.message.content).not.to.equal(one.choices[0]?.message.content);
  });

  it('streams what it says whole, token by token, and counts it', async () => {
    const whole = await complete();
    const stream = await client.chat.completions.create({
      model: 'sandbox-story',
      messages: MESSAGES,
      stream: true,
      stream_options: { include_usage: true },
      ...QUICK,
    });
    const pieces: string[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta.content;
      if (piece !== undefined && piece !== null && piece !== '') pieces.push(piece);
      usage = chunk.usage ?? usage;
    }
    expect(pieces.join('')).to.equal(whole.choices[0]?.message.content);
    expect(pieces).to.deep.equal(tokensOf(pieces.join('')));
    expect(usage).to.deep.equal(whole.usage);
    expect(usage?.completion_tokens).to.equal(pieces.length);
  });

  it('honours limits, stop words and the number of choices', async () => {
    const short = await complete({ max_tokens: 7 });
    expect([short.usage?.completion_tokens, short.choices[0]?.finish_reason]).to.deep.equal([7, 'length']);
    expect(tokensOf(short.choices[0]?.message.content ?? '')).to.have.length(7);
    const stopped = await complete({ model: 'sandbox-echo', messages: [{ role: 'user', content: 'one two STOP three' }], stop: ['STOP'] });
    expect([stopped.choices[0]?.message.content, stopped.choices[0]?.finish_reason]).to.deep.equal(['one two ', 'stop']);
    expect((await complete({ n: 3 })).choices).to.have.length(3);
  });

  it('streams at the speed asked for', async () => {
    const began = performance.now();
    const stream = await client.chat.completions.create({
      model: 'sandbox-echo',
      messages: [{ role: 'user', content: 'one two three four five six' }],
      stream: true,
      sandbox: { tokens_per_second: 50 },
    } as OpenAI.ChatCompletionCreateParamsStreaming);
    for await (const chunk of stream) expect(chunk.model).to.equal('sandbox-echo');
    // Six words and the two events around them at fifty a second.
    expect(performance.now() - began).to.be.at.least(100);
  });

  it('notices that nobody listens any more', async () => {
    const req = httpRequest(`${sandbox.baseUrl}/chat/completions`, { method: 'POST' });
    req.on('error', () => undefined);
    req.end(JSON.stringify({ model: 'sandbox-story-slow', messages: MESSAGES, stream: true }));
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    await once(res, 'data');
    res.destroy();
    await once(res, 'close');
    expect((await complete({ model: 'sandbox-echo' })).choices).to.have.length(1);
  });

  it('calls tools with arguments that fit, when it is told to or is the tools model', async () => {
    const tools = [
      {
        type: 'function' as const,
        function: { name: 'search', parameters: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] } },
      },
    ];
    expect((await complete({ tools })).choices[0]?.message.tool_calls).to.equal(undefined);
    for (const how of [
      { model: 'sandbox-tools' },
      { tool_choice: 'required' },
      { tool_choice: { type: 'function', function: { name: 'search' } } },
    ]) {
      const { message, finish_reason: reason } = (await complete({ tools, ...how })).choices[0] as OpenAI.ChatCompletion.Choice;
      expect(reason).to.equal('tool_calls');
      const call = message.tool_calls?.[0] as OpenAI.ChatCompletionMessageFunctionToolCall;
      expect(JSON.parse(call.function.arguments)).to.have.keys('query');
    }
    expect((await complete({ tools, model: 'sandbox-tools', tool_choice: 'none' })).choices[0]?.finish_reason).to.equal('stop');
  });

  it('writes JSON when it is asked for some', async () => {
    const schema = { type: 'object', properties: { name: { type: 'string' }, tags: { type: 'array', items: { enum: ['a', 'b'] } } } };
    const made = await complete({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } });
    expect(JSON.parse(made.choices[0]?.message.content ?? '')).to.deep.include({ tags: ['a'] });
  });

  it('refuses what it does not know, in its own name', async () => {
    for (const [body, status] of [
      [{ model: 'gpt-4o', messages: MESSAGES }, 404],
      [{ model: 'sandbox-echo' }, 400],
      // More than the model reads, and so more than could be held for it.
      [{ model: 'sandbox-echo', messages: [{ role: 'user', content: 'word '.repeat(130_000) }] }, 400],
    ] as const) {
      const error: unknown = await client.chat.completions
        .create(body as OpenAI.ChatCompletionCreateParamsNonStreaming)
        .catch((caught: unknown) => caught);
      expect((error as { status: number }).status).to.equal(status);
      expect(String((error as Error).message)).to.contain('[sandbox]');
    }
  });

  it('follows schemas that refer to themselves no further than it must', () => {
    const loop: Record<string, unknown> = { type: 'object' };
    loop['properties'] = { again: loop };
    expect(JSON.stringify(exampleValue(loop, 'x')).length).to.be.lessThan(200);
  });

  it('makes unit vectors, nearer for texts that share words, of any length asked for', async () => {
    const length = (vector: Float32Array): number => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    for (const text of ['', 'x', 'a ledger', '账本']) expect(length(embed(text)), text).to.be.closeTo(1, 1e-5);
    const { data } = await client.embeddings.create({ model: 'sandbox-embedding', input: 'x', dimensions: 12 });
    expect(data[0]?.embedding).to.have.length(12);
  });
});
