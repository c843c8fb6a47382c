import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { ChannelSettings } from '../../../schemas/events/channel.ts';
import { createEgressGuard } from '../../../infra/egress/guard.ts';
import { parseEgressPolicy, type EgressPolicy } from '../../../infra/egress/policy.ts';
import { createPictureSource } from '../../../infra/pictures/picture-source.ts';
import { channel, chatPrice, startRelay, type RelayHarness } from './relay-harness.ts';

const GIF = Buffer.concat([Buffer.from('GIF89a'), Buffer.from([2, 0, 2, 0]), Buffer.alloc(40, 1)]);
const DATA = GIF.toString('base64');

const bodyOf = async (req: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of req) text += String(chunk);
  return text;
};

/** What an upstream of each dialect answers. */
const ANSWERS: readonly (readonly [RegExp, object])[] = [
  [
    /\/chat$/,
    { model: 'm', message: { role: 'assistant', content: 'aye' }, done: true, done_reason: 'stop', prompt_eval_count: 9, eval_count: 1 },
  ],
  [
    /generateContent/,
    {
      candidates: [{ content: { role: 'model', parts: [{ text: 'aye' }] }, finishReason: 'STOP' }],
      usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 1 },
    },
  ],
  [
    /\/converse/,
    {
      output: { message: { role: 'assistant', content: [{ text: 'aye' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 9, outputTokens: 1 },
    },
  ],
  [
    /\/invoke/,
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'c',
      content: [{ type: 'text', text: 'aye' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 9, output_tokens: 1 },
    },
  ],
  [
    /./,
    {
      id: 'c',
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: 'aye' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 1 },
    },
  ],
];

describe('pictures that a call names by their addresses', () => {
  let upstream: Server;
  let pictures: Server;
  let relay: RelayHarness;
  let base = '';
  let picturePort = 0;
  let fetched: string[] = [];
  let told: { readonly url: string; readonly body: string }[] = [];
  /** Upstreams that fail, by the beginning of their addresses. */
  let failing = '';
  let serve: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => res.end(GIF);

  const listen = async (server: Server): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };

  before(async () => {
    upstream = createServer((req, res) => {
      void bodyOf(req).then((body) => {
        const url = req.url ?? '';
        told.push({ url, body });
        if (failing !== '' && url.startsWith(failing)) return res.writeHead(500).end('{}');
        res.setHeader('content-type', 'application/json');
        return res.end(JSON.stringify(ANSWERS.find(([path]) => path.test(url))?.[1]));
      });
    });
    pictures = createServer((req, res) => {
      fetched.push(req.url ?? '');
      serve(req, res);
    });
    base = `http://127.0.0.1:${await listen(upstream)}`;
    picturePort = await listen(pictures);
    relay = await startRelay({
      pictures: createPictureSource({
        guard: createEgressGuard(parseEgressPolicy('127.0.0.1/32') as EgressPolicy, (_name, callback) =>
          callback(null, [{ address: '127.0.0.1', family: 4 }]),
        ),
        allowsHttp: true,
        ports: [picturePort],
        timeoutMs: 2_000,
      }),
      limits: { pictures: { bytesEach: 10_000, bytesTogether: 15_000, count: 3, atOnce: 2 } },
    });
    relay.directory.prices.set('m', chatPrice('m'));
  });

  beforeEach(() => {
    fetched = [];
    told = [];
    failing = '';
    serve = (_req, res) => res.end(GIF);
  });

  after(async () => {
    await relay.close();
    for (const server of [upstream, pictures]) {
      server.closeAllConnections();
      server.close();
    }
  });

  const at = (path: string): string => `http://pictures.test:${picturePort}${path}`;
  const chat = (...urls: readonly string[]) => ({
    model: 'm',
    max_tokens: 10,
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'look' }, ...urls.map((url) => ({ type: 'image_url', image_url: { url } }))] },
    ],
  });
  const only = (provider: string, upstreamModel: string, more: Partial<ChannelSettings> = {}): void => {
    relay.directory.channels = [
      channel(`${base}/a`, {
        provider,
        keys: provider === 'aws-bedrock' ? ['AKID:secret'] : ['k'],
        ...more,
        models: [`m=${upstreamModel}`],
      }),
    ];
  };

  it('are fetched for upstreams that read them only where they are in the request', async () => {
    for (const [provider, upstreamModel, found] of [
      ['ollama-native', 'llava', `"images":["${DATA}"`],
      ['ollama', 'llava', `"url":"data:image/gif;base64,${DATA}"`],
      ['gemini', 'gemini-2.0-flash', `"inlineData":{"mimeType":"image/gif","data":"${DATA}"}`],
      ['aws-bedrock', 'amazon.nova-pro-v1:0', `"image":{"format":"gif","source":{"bytes":"${DATA}"}}`],
      ['aws-bedrock', 'anthropic.claude-sonnet-4-5-20250929-v1:0', `"source":{"type":"base64","media_type":"image/gif","data":"${DATA}"}`],
    ] as const) {
      told = [];
      fetched = [];
      only(provider, upstreamModel);
      const answer = await relay.post('/v1/chat/completions', chat(at('/a.png'), at('/a.png')));
      expect(answer.status, `${provider} ${await answer.text()}`).to.equal(200);
      expect(told[0]?.body, provider).to.include(found);
      expect(fetched, 'once, however often it is named').to.deep.equal(['/a.png']);
    }
  });

  it('stay addresses for upstreams that read those', async () => {
    for (const [provider, upstreamModel] of [
      ['openai', 'gpt-4o'],
      ['gemini', 'gemini-2.5-flash'],
      ['anthropic', 'claude-sonnet-4-5'],
    ] as const) {
      only(provider, upstreamModel);
      await relay.post('/v1/chat/completions', chat(at('/a.png')));
      expect(told.at(-1)?.body, provider).to.include(at('/a.png'));
    }
    expect(fetched).to.deep.equal([]);
  });

  it('are fetched for clients of other formats too', async () => {
    only('aws-bedrock', 'anthropic.claude-sonnet-4-5-20250929-v1:0');
    const messages = [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: at('/b') } }] }];
    expect((await relay.post('/v1/messages', { model: 'm', max_tokens: 10, messages })).status).to.equal(200);
    const input = [{ role: 'user', content: [{ type: 'input_image', image_url: at('/c') }] }];
    expect((await relay.post('/v1/responses', { model: 'm', input })).status).to.equal(200);
    expect(fetched).to.deep.equal(['/b', '/c']);
    for (const { body } of told) expect(body).to.include(DATA);
  });

  it('are fetched once for all channels that are tried', async () => {
    relay.directory.channels = ['/a', '/b'].map((path, index) =>
      channel(base + path, { provider: 'ollama-native', models: ['m=llava'], priority: 1 - index }),
    );
    failing = '/a';
    expect((await relay.post('/v1/chat/completions', chat(at('/a.png')))).status).to.equal(200);
    expect(told.map(({ url }) => url.slice(0, 2))).to.deep.equal(['/a', '/b']);
    expect(fetched).to.deep.equal(['/a.png']);
  });

  it('that cannot be had are named, in the caller’s format, and cost nothing', async () => {
    only('ollama-native', 'llava');
    const charges = relay.spending.charges.length;
    const refusedFor = async (
      ...urls: readonly string[]
    ): Promise<{ readonly status: number; readonly error: Record<string, unknown> }> => {
      const answer = await relay.post('/v1/chat/completions', chat(...urls));
      return { status: answer.status, error: ((await answer.json()) as { readonly error: Record<string, unknown> }).error };
    };
    serve = (req, res) =>
      req.url === '/good' ? res.end(GIF) : req.url === '/text' ? res.end('a long enough text') : res.writeHead(404).end();
    const text = await refusedFor(at('/good'), at('/text'));
    expect(text.status).to.equal(400);
    expect(text.error).to.include({ code: 'image_unavailable', param: 'messages.0.content.2', type: 'invalid_request_error' });
    expect(text.error['message']).to.include(at('/text')).and.include('PNG, JPEG, GIF or WebP');
    expect((await refusedFor(at('/gone'))).error['message']).to.include('could not be fetched');
    expect((await refusedFor('http://10.0.0.1/a.png')).error['message']).to.include('could not be fetched');
    expect((await refusedFor('http://pictures.test:22/a.png')).error['message']).to.include('address');
    expect((await refusedFor(at('/1'), at('/2'), at('/3'), at('/4'))).error['message']).to.include('At most 3');
    serve = (_req, res) => res.end(Buffer.concat([GIF, Buffer.alloc(9_000)]));
    expect((await refusedFor(at('/1'), at('/2'))).error['message']).to.include('too large');

    const messages = [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'http://10.0.0.1/a.png' } }] }];
    const anthropic = (await (await relay.post('/v1/messages', { model: 'm', max_tokens: 10, messages })).json()) as {
      readonly type: string;
      readonly error: { readonly type: string; readonly message: string };
    };
    expect(anthropic).to.include({ type: 'error' });
    expect(anthropic.error.message).to.include('http://10.0.0.1/a.png');
    expect(told).to.deep.equal([]);
    expect(relay.spending.charges.length).to.equal(charges);
    await relay.idle();
    expect(relay.spending.reservations.every(({ charges: paid, releases }) => paid.length + releases.length === 1)).to.equal(true);
  });

  it('that cannot be had leave the call to a channel that reads addresses', async () => {
    relay.directory.channels = [
      channel(`${base}/a`, { provider: 'ollama-native', models: ['m=llava'], priority: 1 }),
      channel(`${base}/b`, { provider: 'openai', models: ['m=gpt-4o'] }),
    ];
    serve = (_req, res) => res.writeHead(404).end();
    expect((await relay.post('/v1/chat/completions', chat(at('/gone')))).status).to.equal(200);
    expect(told.map(({ url }) => url)).to.deep.equal(['/b/chat/completions']);
  });

  it('are not waited for by whoever left', async () => {
    only('ollama-native', 'llava');
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const closed = new Promise<void>((resolve) => {
      serve = (req) => {
        isAsked();
        req.socket.on('close', () => resolve());
      };
    });
    const leaving = new AbortController();
    const call = relay.post('/v1/chat/completions', chat(at('/slow')), { signal: leaving.signal }).catch(() => null);
    await asked;
    leaving.abort();
    await Promise.all([closed, call]);
    await relay.idle();
    expect(told).to.deep.equal([]);
  });
});
