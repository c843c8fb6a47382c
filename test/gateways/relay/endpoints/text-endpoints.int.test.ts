import { expect } from 'chai';
import OpenAI from 'openai';
import type { Money } from '../../../../schemas/money.ts';
import { channel, KEY, startRelay, type RelayHarness } from '../relay-harness.ts';
import { events, json, startEndpointUpstream, type EndpointUpstream } from './endpoint-upstream.ts';
import { MODEL_KINDS, priceOfKind } from './priced-models.ts';

describe('endpoints of text', () => {
  let upstream: EndpointUpstream;
  let relay: RelayHarness;
  let client: OpenAI;

  before(async () => {
    upstream = await startEndpointUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay();
    relay.directory.channels = [channel(upstream.baseUrl, { models: MODEL_KINDS.map((kind) => `${kind}=their-${kind}`) })];
    for (const kind of MODEL_KINDS) relay.directory.prices.set(kind, priceOfKind(kind));
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const sent = (): Record<string, unknown> => JSON.parse(upstream.calls.at(-1)?.body.toString('utf8') ?? '') as Record<string, unknown>;
  const charged = () => relay.spending.last.charges[0];

  describe('legacy completions', () => {
    const answer = {
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1,
      model: 'their-completion',
      choices: [{ index: 0, text: ' upon a time', logprobs: null, finish_reason: 'length' }],
    };

    it('are passed on by the upstream’s name for the model, and charged by its usage', async () => {
      upstream.on('/v1/completions', json({ ...answer, usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 } }));
      const completion = await client.completions.create({ model: 'completion', prompt: 'Once', max_tokens: 3 });
      expect(completion.choices[0]?.text).to.equal(' upon a time');
      expect(completion.model).to.equal('completion');
      expect(sent()).to.deep.equal({ model: 'their-completion', prompt: 'Once', max_tokens: 3 });
      expect(charged()).to.deep.include({ usage: { input: 2, output: 3 }, basis: 'reported' });
      expect(charged()?.call).to.include({ endpoint: 'completions', streamed: false, status: 200 });
      expect(relay.lines.at(-1)).to.include({ route: '/v1/completions', model: 'completion' });
    });

    it('hold what the format writes where nobody says how much, for every prompt and choice', async () => {
      upstream.on('/v1/completions', json({ ...answer, usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }));
      const held = async (body: object): Promise<bigint> => {
        await (await relay.post('/v1/completions', { model: 'completion', ...body })).text();
        return relay.spending.last.request.amount;
      };
      const prompt = (bytes: number): bigint => BigInt(bytes) * 1_500n;
      const bytesOf = (body: object): number => JSON.stringify({ model: 'completion', ...body }).length;
      for (const [body, output] of [
        [{ prompt: 'a' }, 16],
        [{ prompt: 'a', n: 3, max_tokens: 10 }, 30],
        [{ prompt: ['a', 'b'], best_of: 4, max_tokens: 10 }, 80],
        [{ prompt: [1, 2, 3], max_tokens: 5 }, 5],
        [{ prompt: [[1], [2, 3]], max_tokens: 5 }, 10],
      ] as const)
        expect(await held(body), JSON.stringify(body)).to.equal(prompt(bytesOf(body)) + BigInt(output) * 2_000n);
    });

    it('are lowered to what the balance covers', async () => {
      upstream.on('/v1/completions', json({ ...answer, usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }));
      relay.spending.balance = 300_000n as Money;
      await (await relay.post('/v1/completions', { model: 'completion', prompt: 'a', max_tokens: 5_000 })).text();
      expect(sent()['max_tokens']).to.be.within(32, 150);
    });

    it('stream, with usage asked of the upstream and shown to whoever asks', async () => {
      const chunk = (text: string, finish: string | null = null): object => ({
        ...answer,
        choices: [{ index: 0, text, logprobs: null, finish_reason: finish }],
      });
      for (const [usage, basis] of [
        [{ prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 }, 'reported'],
        [null, 'estimated'],
      ] as const) {
        const last = usage === null ? [] : [{ ...answer, choices: [], usage }];
        upstream.on('/v1/completions', events(chunk(' upon'), chunk(' a time', 'stop'), ...last, '[DONE]'));
        const stream = await client.completions.create({
          model: 'completion',
          prompt: 'Once',
          stream: true,
          stream_options: { include_usage: true },
        });
        let text = '';
        let shown: { object: string; usage?: object | null } | null = null;
        for await (const each of stream) {
          text += each.choices[0]?.text ?? '';
          shown = each;
        }
        expect(text).to.equal(' upon a time');
        expect(sent()['stream_options']).to.deep.equal({ include_usage: true });
        expect(charged()?.basis).to.equal(basis);
        expect(charged()?.usage).to.deep.equal(usage === null ? { input: 4, output: 12 } : { input: 2, output: 3 });
        expect(shown?.object).to.equal('text_completion');
        expect(shown?.usage).to.include(usage ?? { prompt_tokens: 4, completion_tokens: 12, estimated: true });
      }
    });

    it('are asked of models that complete, and refused for others in the caller’s form', async () => {
      const response = await relay.post('/v1/completions', { model: 'embedding', prompt: 'x' });
      expect(response.status).to.equal(400);
      expect(await response.json()).to.have.nested.property('error.param', 'model');
      expect((await relay.post('/v1/completions', { model: 'completion', prompt: { a: 1 } })).status).to.equal(400);
      expect(relay.spending.reservations).to.have.length(0);
    });
  });

  describe('moderations', () => {
    const answer = { id: 'modr-1', model: 'their-moderation', results: [{ flagged: false, categories: {}, category_scores: {} }] };

    it('are charged by a count, as no upstream says what they took', async () => {
      upstream.on('/v1/moderations', json(answer));
      const moderation = await client.moderations.create({ model: 'moderation', input: [{ type: 'text', text: 'hello' }] });
      expect(moderation.results[0]?.flagged).to.equal(false);
      expect(moderation.model).to.equal('moderation');
      expect(charged()).to.deep.include({ usage: { input: 5 }, basis: 'estimated' });
      expect(charged()?.call.endpoint).to.equal('moderations');
    });

    it('name the format’s own model where the caller names none', async () => {
      relay.directory.channels = [channel(upstream.baseUrl, { models: ['omni-moderation-latest'] })];
      const price = { ...priceOfKind('moderation'), model: 'omni-moderation-latest', rates: { input: 0n as Money, output: 0n as Money } };
      relay.directory.prices.set('omni-moderation-latest', price);
      upstream.on('/v1/moderations', json({ ...answer, model: 'omni-moderation-latest' }));
      await client.moderations.create({ input: ['a', 'b'] });
      expect(sent()).to.deep.equal({ model: 'omni-moderation-latest', input: ['a', 'b'] });
      expect(charged()?.computed).to.equal(0n);
    });
  });
});
