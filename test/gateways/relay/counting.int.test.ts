import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { channel, chatPrice, startRelay, type RelayHarness } from './relay-harness.ts';

describe('counting where nobody reports', () => {
  let relay: RelayHarness;
  let upstream: Server;
  const counted: string[] = [];

  before(async () => {
    upstream = createServer((req, res) => {
      req.resume();
      req.on('end', () => {
        res.setHeader('content-type', 'application/json');
        const isMessages = req.url?.startsWith('/v1/messages') === true;
        res.end(
          JSON.stringify(
            isMessages
              ? {
                  id: 'msg_1',
                  type: 'message',
                  role: 'assistant',
                  model: 'claude-opus-4-7',
                  content: [{ type: 'text', text: 'aye' }],
                  stop_reason: 'end_turn',
                }
              : {
                  id: 'c',
                  object: 'chat.completion',
                  choices: [{ index: 0, message: { role: 'assistant', content: 'aye' }, finish_reason: 'stop' }],
                },
          ),
        );
      });
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
    relay = await startRelay({
      tokenCounter: {
        count: async (texts, model) => {
          counted.push(model);
          return texts.join('').length;
        },
      },
    });
    relay.directory.channels = [
      channel(base, { models: ['quick=gpt-4-turbo', 'deep=ep-2026'] }),
      channel(base, { provider: 'anthropic', models: ['claude=claude-opus-4-7'] }),
    ];
    for (const model of ['quick', 'deep', 'claude']) relay.directory.prices.set(model, chatPrice(model, { contextTokens: 2_000 }));
  });

  beforeEach(() => counted.splice(0));

  after(async () => {
    await relay.close();
    upstream.close();
  });

  const png = (width: number, height: number): string => {
    const bytes = Buffer.alloc(33);
    Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(bytes);
    bytes.writeUInt32BE(width, 16);
    bytes.writeUInt32BE(height, 20);
    return bytes.toString('base64');
  };

  it('goes by the upstream’s name for the model, and by ours where that says nothing', async () => {
    for (const model of ['quick', 'deep']) {
      const answer = await relay.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }] });
      expect(answer.status).to.equal(200);
    }
    expect([...new Set(counted)]).to.deep.equal(['gpt-4-turbo', 'deep']);
    expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated', 'estimated']);
  });

  it('measures pictures by the rule of the model, in the client’s own format too', async () => {
    const before = relay.spending.charges.length;
    const answer = await relay.post('/v1/messages', {
      model: 'claude',
      max_tokens: 10,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: png(280, 280) } }] }],
    });
    expect(answer.status).to.equal(200);
    // A hundred pieces of 28 pixels, `user`, and what is around a message.
    expect(relay.spending.charges[before]?.usage).to.deep.equal({ input: 100 + 4 + 6, output: 3 });
  });

  it('is never more than was set aside, where a channel asks for a dearer model than was named', async () => {
    relay.directory.channels = [
      ...relay.directory.channels,
      channel(relay.directory.channels[0]?.settings.baseUrl ?? '', { models: ['small=gpt-4o-mini'] }),
    ];
    relay.directory.prices.set('small', chatPrice('small'));
    const before = relay.spending.charges.length;
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${png(768, 2_048)}` } };
    await relay.post('/v1/chat/completions', { model: 'small', max_tokens: 10, messages: [{ role: 'user', content: [image] }] });
    const charge = relay.spending.charges[before];
    expect(charge?.usage.input).to.be.greaterThan(48_000);
    expect((charge?.computed ?? 0n) <= relay.spending.last.hold.amount).to.equal(true);
  });

  it('never comes to more than the model’s window', async () => {
    const before = relay.spending.charges.length;
    await relay.post('/v1/chat/completions', { model: 'deep', messages: [{ role: 'user', content: 'x'.repeat(9_000) }] });
    expect(relay.spending.charges[before]?.usage.input).to.equal(2_000);
  });

  it('is what clients are told who ask for it, whatever tools they have, and costs nothing', async () => {
    const before = relay.spending.charges.length;
    const asked: readonly (readonly [string, object])[] = [
      [
        '/v1/messages/count_tokens',
        { model: 'claude', messages: [{ role: 'user', content: 'hi' }], tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      ],
      ['/v1beta/models/quick:countTokens', { contents: [{ parts: [{ text: 'hi' }] }], tools: [{ googleSearch: {} }] }],
      ['/v1/responses/input_tokens', { model: 'quick', input: 'hi', tools: [{ type: 'web_search' }] }],
    ];
    for (const [path, body] of asked) {
      const answer = await relay.post(path, body);
      expect(answer.status, path).to.equal(200);
      expect(answer.headers.get('x-oblivious-estimated')).to.equal('true');
      const told = (await answer.json()) as { readonly input_tokens?: number; readonly totalTokens?: number };
      expect(told.input_tokens ?? told.totalTokens, path).to.be.greaterThan(5);
    }
    expect(relay.spending.charges.length).to.equal(before);
  });
});
