import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { expect } from 'chai';
import { request } from 'node:http';
import OpenAI from 'openai';
import type { DirectoryChannel } from '../../../../gateways/ports/directory.ts';
import type { Money } from '../../../../schemas/money.ts';
import type { ChannelSettings } from '../../../../schemas/events/channel.ts';
import { events, json, startEndpointUpstream, type EndpointUpstream } from '../endpoints/endpoint-upstream.ts';
import { channel, chatPrice, KEY, startRelay, USER_ID, type RelayHarness } from '../relay-harness.ts';

const USAGE = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25, prompt_tokens_details: { cached_tokens: 8 } };
const chunk = (more: object): object => ({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'theirs', choices: [], ...more });
const COMPLETION = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'theirs',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
  usage: USAGE,
};
const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'theirs',
  content: [{ type: 'text', text: 'Hello.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 12, cache_read_input_tokens: 8, output_tokens: 5 },
};
const GENERATED = {
  candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'Hello.' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 20, cachedContentTokenCount: 8, candidatesTokenCount: 5, totalTokenCount: 25 },
};
const HELLO = [{ role: 'user' as const, content: 'Hello?' }];

describe('what is passed through to a provider', () => {
  let upstream: EndpointUpstream;
  let relay: RelayHarness;
  let origin: string;

  before(async () => {
    upstream = await startEndpointUpstream();
    origin = new URL(upstream.baseUrl).origin;
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay({ limits: { silenceMs: 2_000 } });
    relay.directory.prices.set('m', chatPrice('m'));
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const open = (provider: string, more: Partial<ChannelSettings> = {}, base = '/v1'): DirectoryChannel => {
    const { models: _models, ...settings } = more;
    const made = channel(origin + base, { provider, models: ['m=theirs'], passThrough: 'everything', ...settings });
    relay.directory.channels = [...relay.directory.channels, made];
    return made;
  };
  const ask = (method: string, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${relay.url}/providers/${path}`, { method, ...init, headers: { authorization: `Bearer ${KEY}`, ...init.headers } });
  const post = (path: string, body: unknown): Promise<Response> =>
    ask('POST', path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  const setCallPrice = (provider: string): void =>
    void relay.directory.prices.set(`pass-through/${provider}`, {
      model: `pass-through/${provider}`,
      kind: 'other',
      rates: { call: 3_000_000n as Money },
    });

  const sameCharges = (): void => {
    const charges = relay.spending.charges;
    expect(charges.length).to.be.greaterThan(1);
    const said = charges.map(({ usage, basis, computed }) => ({ usage, basis, computed }));
    for (const each of said) expect(each).to.deep.equal(said[0]);
    expect(said[0]?.basis).to.equal('reported');
    const holds = relay.spending.reservations.map(({ request }) => request.amount);
    expect(Number(holds[0])).to.be.greaterThan(0);
  };

  describe('by the official clients', () => {
    it('of OpenAI: charged as at the relay’s own address, plain and streamed', async () => {
      open('openai');
      const bases = [relay.baseUrl, `${relay.url}/providers/openai/v1`];
      upstream.on('/v1/chat/completions', (res, call) =>
        call.body.includes('"stream":true')
          ? events(
              chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello.' }, finish_reason: null }] }),
              chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
              chunk({ usage: USAGE }),
              '[DONE]',
            )(res, call)
          : json(COMPLETION)(res, call),
      );
      for (const baseURL of bases) {
        const client = new OpenAI({ apiKey: KEY, baseURL, maxRetries: 0 });
        const answer = await client.chat.completions.create({ model: 'm', messages: HELLO });
        expect(answer.choices[0]?.message.content).to.equal('Hello.');
        let text = '';
        for await (const { choices } of await client.chat.completions.create({ model: 'm', messages: HELLO, stream: true }))
          text += choices[0]?.delta.content ?? '';
        expect(text).to.equal('Hello.');
      }
      sameCharges();
      expect(relay.spending.charges).to.have.length(4);
      expect(upstream.calls.map(({ headers }) => headers.authorization)).to.deep.equal(Array(4).fill('Bearer sk-upstream-1'));
      expect(relay.lines.at(-1)).to.include({ route: '/providers/{provider}/{address}', model: 'm' });
    });

    it('of Anthropic', async () => {
      open('anthropic');
      upstream.on('/v1/messages', (res, call) => {
        if (!call.body.includes('"stream":true')) return json(MESSAGE)(res, call);
        const all = [
          { type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null } },
          { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
          { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello.' } },
          { type: 'content_block_stop', index: 0 },
          { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } },
          { type: 'message_stop' },
        ];
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.end(all.map((each) => `event: ${each.type}\ndata: ${JSON.stringify(each)}\n\n`).join(''));
      });
      for (const baseURL of [relay.url, `${relay.url}/providers/anthropic`]) {
        const client = new Anthropic({ apiKey: KEY, baseURL, maxRetries: 0 });
        const asked = { model: 'm', max_tokens: 64, messages: HELLO };
        expect((await client.messages.create(asked)).content).to.deep.equal(MESSAGE.content);
        expect(await client.messages.stream(asked).finalText()).to.equal('Hello.');
      }
      sameCharges();
      expect(upstream.calls.map(({ headers }) => headers['x-api-key'])).to.deep.equal(Array(4).fill('sk-upstream-1'));
    });

    it('of Google', async () => {
      open('gemini', {}, '/v1beta');
      upstream.on('/v1beta/models/theirs:generateContent', json(GENERATED));
      upstream.on('/v1beta/models/theirs:streamGenerateContent?alt=sse', events(GENERATED));
      for (const baseUrl of [relay.url, `${relay.url}/providers/gemini`]) {
        const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl } });
        expect((await client.models.generateContent({ model: 'm', contents: 'Hello?' })).text).to.equal('Hello.');
        let text = '';
        for await (const each of await client.models.generateContentStream({ model: 'm', contents: 'Hello?' })) text += each.text ?? '';
        expect(text).to.equal('Hello.');
      }
      sameCharges();
      expect(upstream.calls.map(({ headers }) => headers['x-goog-api-key'])).to.deep.equal(Array(4).fill('sk-upstream-1'));
      expect(upstream.calls.map(({ path }) => path).join()).to.not.include(KEY);
    });
  });

  describe('unread', () => {
    it('lists models for nothing, with the channel’s credential and none of the caller’s', async () => {
      open('openai', { passThrough: 'calls' });
      upstream.on('/v1/models', (res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'x-theirs': '1', 'set-cookie': 'a=b', 'openai-organization': 'ours' });
        res.end('{"object":"list","data":[]}');
      });
      const answer = await ask('GET', `openai/v1/models?key=${KEY}`, { headers: { 'x-told': KEY, cookie: 'c=d', 'openai-beta': 'x' } });
      expect([answer.status, await answer.text()]).to.deep.equal([200, '{"object":"list","data":[]}']);
      expect(answer.headers.get('x-theirs')).to.equal('1');
      expect([answer.headers.get('set-cookie'), answer.headers.get('openai-organization')]).to.deep.equal([null, null]);
      const [call] = upstream.calls;
      expect(call?.headers).to.include({ authorization: 'Bearer sk-upstream-1', 'openai-beta': 'x' });
      expect(JSON.stringify([call?.headers, call?.path])).to.not.include(KEY);
      expect(call?.headers).to.not.have.any.keys('cookie', 'x-told');
      expect(relay.spending.reservations).to.have.length(0);
      expect(relay.lines.at(-1)).to.include({ status: 200 });
      expect(relay.finished).to.have.length(1);
    });

    it('is charged by what the answer says it used, whichever provider’s words it has', async () => {
      open('mistral');
      const spoken: readonly (readonly [unknown, string])[] = [
        [{ usage: USAGE }, 'prompt_tokens'],
        [{ usage: { input_tokens: 20, output_tokens: 5, total_tokens: 25, input_tokens_details: { cached_tokens: 8 } } }, 'responses'],
        [{ usage: { input_tokens: 12, cache_read_input_tokens: 8, output_tokens: 5 } }, 'anthropic'],
        [GENERATED, 'google'],
        [[{ candidates: [] }, GENERATED], 'google, as a list'],
      ];
      for (const [said, whose] of spoken) {
        upstream.on('/v1/fim/completions', json(said));
        const answer = await post('mistral/v1/fim/completions', { model: 'm', prompt: 'a', suffix: 'b', max_tokens: 10 });
        expect(await answer.json(), whose).to.deep.equal(said);
        expect(relay.spending.charges.at(-1), whose).to.deep.include({
          usage: { input: 12, cachedInput: 8, output: 5 },
          basis: 'reported',
        });
        upstream.on('/v1/fim/completions', events({ delta: {} }, ...(Array.isArray(said) ? (said as unknown[]) : [said])));
        await (await post('mistral/v1/fim/completions', { model: 'm', prompt: 'a', max_tokens: 10, stream: true })).text();
        expect(relay.spending.charges.at(-1), `${whose}, streamed`).to.deep.include({ usage: { input: 12, cachedInput: 8, output: 5 } });
      }
      expect(JSON.parse(upstream.calls[0]?.body.toString() ?? '')).to.include({ model: 'theirs', suffix: 'b' });
      expect(relay.spending.last.request.model).to.equal('m');
      // 61 bytes at most, and ten tokens of output, at 2 and 8 dollars a million.
      expect(Number(relay.spending.last.request.amount)).to.be.within(80_000, 300_000);
    });

    it('is charged what was held where its answer says nothing', async () => {
      open('mistral');
      upstream.on('/v1/fim/completions', json({ text: 'a' }));
      await (await post('mistral/v1/fim/completions', { model: 'm', prompt: 'a', max_tokens: 10 })).text();
      const { hold, charges } = relay.spending.last;
      expect(charges[0]).to.include({ basis: 'held', computed: hold.amount });
    });

    it('is refused where nothing says what it costs, and has its own rate where the operator set one', async () => {
      open('openai');
      upstream.on('/v1/audio/odd', json({ done: true }));
      upstream.on('/v1/fine_tuning/jobs', json({ id: 'ft' }));
      upstream.on('/v1/files', json({ id: 'file-1' }));
      for (const [path, body] of [
        ['openai/v1/audio/odd', { text: 'a' }],
        ['openai/v1/audio/odd', { model: 'unknown' }],
        ['openai/v1/fine_tuning/jobs', { model: 'm' }],
      ] as const) {
        const refused = await post(path, body);
        expect([refused.status, await refused.text()].join(), path).to.match(/^400.*model_without_price/);
      }
      expect(upstream.calls).to.have.length(0);
      setCallPrice('openai');
      await (await post('openai/v1/fine_tuning/jobs', { model: 'm' })).text();
      const form = new FormData();
      form.append('purpose', 'batch');
      form.append('file', new Blob(['x'.repeat(300_000)]), 'a.jsonl');
      expect(await (await ask('POST', 'openai/v1/files', { body: form })).json()).to.deep.equal({ id: 'file-1' });
      expect(upstream.calls.at(-1)?.body.length).to.be.greaterThan(300_000);
      expect(relay.spending.charges.map(({ usage, computed }) => [usage, computed])).to.deep.equal(
        Array(2).fill([{ call: 1 }, 3_000_000n]),
      );
      expect(relay.spending.last.request.model).to.equal('pass-through/openai');
    });

    it('stays shut where the operator did not open it, and half shut where it is for calls', async () => {
      const made = channel(`${origin}/v1`, { provider: 'openai', models: ['m'] });
      relay.directory.channels = [made];
      expect((await ask('GET', 'openai/v1/models')).status).to.equal(404);
      expect((await post('openai/v1/chat/completions', { model: 'm', messages: HELLO })).status).to.equal(404);
      relay.directory.channels = [{ ...made, settings: { ...made.settings, passThrough: 'calls' } }];
      setCallPrice('openai');
      for (const [method, path] of [
        ['GET', 'openai/v1/files'],
        ['DELETE', 'openai/v1/models/ft'],
        ['POST', 'openai/v1/batches/b/cancel'],
        ['POST', 'openai/v1/assistants'],
        ['PUT', 'openai/v1/models'],
      ] as const)
        expect((await ask(method, path)).status, path).to.equal(403);
      relay.directory.channels = [{ ...made, settings: { ...made.settings, passThrough: 'everything', groups: ['others'] } }];
      expect((await ask('GET', 'openai/v1/models')).status).to.equal(404);
      expect(upstream.calls).to.have.length(0);
      expect(relay.spending.reservations).to.have.length(0);
    });

    it('asks for nothing without money, a key, or a key that may', async () => {
      open('mistral');
      relay.spending.balance = 0n as Money;
      expect(await (await post('mistral/v1/fim/completions', { model: 'm', prompt: 'a' })).text()).to.include('insufficient_quota');
      expect((await fetch(`${relay.url}/providers/mistral/v1/models`)).status).to.equal(401);
      relay.directory.token = { ...relay.directory.token, restrictions: { models: ['other'], endpoints: null, addresses: null } };
      expect((await post('mistral/v1/fim/completions', { model: 'm', prompt: 'a' })).status).to.equal(403);
      relay.directory.token = { ...relay.directory.token, restrictions: { models: null, endpoints: ['chat'], addresses: null } };
      expect((await ask('GET', 'mistral/v1/models')).status).to.equal(403);
      expect(upstream.calls).to.have.length(0);
    });

    it('gives errors on as they are, and charges nothing for them', async () => {
      open('mistral');
      upstream.on('/v1/fim/completions', (res) => res.writeHead(422, { 'content-type': 'application/json' }).end('{"detail":"no"}'));
      const refused = await post('mistral/v1/fim/completions', { model: 'm', prompt: 'a' });
      expect([refused.status, await refused.text()]).to.deep.equal([422, '{"detail":"no"}']);
      upstream.on('/v1/fim/completions', (res) => res.writeHead(302, { location: 'http://169.254.169.254/' }).end());
      const elsewhere = await post('mistral/v1/fim/completions', { model: 'm', prompt: 'a' });
      expect([elsewhere.status, elsewhere.headers.get('location')]).to.deep.equal([502, null]);
      upstream.on('/v1/fim/completions', json({ error: 'who?' }, 401));
      expect((await post('mistral/v1/fim/completions', { model: 'm', prompt: 'a' })).status).to.equal(502);
      expect(relay.health.refusedKeys).to.have.length(1);
      expect(relay.spending.charges).to.have.length(0);
      expect(relay.spending.releases.map(({ reason }) => reason)).to.deep.equal(['refused', 'refused', 'refused']);
    });

    it('reaches no address that the rules of egress forbid', async () => {
      relay.directory.channels = [channel('http://10.0.0.1:1/v1', { provider: 'mistral', models: ['m'], passThrough: 'everything' })];
      expect((await post('mistral/v1/fim/completions', { model: 'm', prompt: 'a' })).status).to.equal(502);
      expect(relay.spending.releases).to.have.length(1);
    });

    it('hears an answer to its end though its client has left, and charges it', async () => {
      open('mistral');
      let end: (() => void) | null = null;
      upstream.on('/v1/fim/completions', (res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: {"a":1}\n\n');
        res.write('data: {"a":2}\n\n');
        end = () => res.end(`data: ${JSON.stringify({ usage: USAGE })}\n\n`);
      });
      await new Promise<void>((resolve) => {
        const req = request(`${relay.url}/providers/mistral/v1/fim/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        });
        req.on('response', (res) => {
          res.once('data', () => {
            req.destroy();
            resolve();
          });
          res.on('error', () => undefined);
        });
        req.on('error', () => undefined);
        req.end(JSON.stringify({ model: 'm', prompt: 'a', stream: true }));
      });
      (end as (() => void) | null)?.();
      await relay.idle();
      expect(relay.spending.charges.map(({ usage, call }) => [usage, call.endpoint])).to.deep.equal([
        [{ input: 12, cachedInput: 8, output: 5 }, 'pass_through'],
      ]);
    });

    it('charges once for one Idempotency-Key', async () => {
      open('mistral');
      upstream.on('/v1/fim/completions', json({ usage: USAGE }));
      const again = (prompt: string): Promise<Response> =>
        ask('POST', 'mistral/v1/fim/completions', {
          body: JSON.stringify({ model: 'm', prompt }),
          headers: { 'content-type': 'application/json', 'idempotency-key': 'once' },
        });
      expect((await again('a')).status).to.equal(200);
      expect((await again('a')).status).to.equal(409);
      expect((await again('b')).status).to.equal(409);
      expect(relay.spending.charges).to.have.length(1);
    });

    it('goes where an administrator says, and nobody else', async () => {
      const first = open('mistral');
      const second = open('mistral', { tags: ['eu'] });
      upstream.on('/v1/models', json({}));
      const to = (named: string): Promise<Response> => ask('GET', 'mistral/v1/models', { headers: { 'x-oblivious-channel': named } });
      expect((await to('eu')).status).to.equal(403);
      relay.directory.owner = { userId: USER_ID, group: 'default', role: 'admin', suspended: false };
      expect((await to('eu')).headers.get('x-oblivious-channel')).to.equal(second.channelId);
      expect((await to(first.channelId)).headers.get('x-oblivious-channel')).to.equal(first.channelId);
      expect((await to('nowhere')).status).to.equal(404);
    });

    it('passes half a megabyte on while it comes, both ways', async () => {
      open('openai');
      upstream.on('/v1/files/f/content', (res) => {
        res.writeHead(200, { 'content-type': 'application/octet-stream' });
        for (let i = 0; i < 64; i++) res.write(Buffer.alloc(8_192, i));
        res.end();
      });
      const body = Buffer.from(await (await ask('GET', 'openai/v1/files/f/content')).arrayBuffer());
      expect([body.length, body[0], body.at(-1)]).to.deep.equal([64 * 8_192, 0, 63]);
    });
  });
});
