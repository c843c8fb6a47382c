import { expect } from 'chai';
import { REALTIME } from '../../../gateways/relay/realtime/open-session.ts';
import { GEMINI_METHODS } from '../../../gateways/relay/spending-routes.ts';
import type { Money } from '../../../schemas/money.ts';
import { MODEL_KINDS, priceOfKind } from './endpoints/priced-models.ts';
import { json, startEndpointUpstream, type EndpointUpstream } from './endpoints/endpoint-upstream.ts';
import { openLedger } from '../../commands/ledger/ledger-rig.ts';
import { memoryDesk } from './tasks/memory-desk.ts';
import { RealtimeClient } from '../../support/realtime-upstream/realtime-client.ts';
import { channel, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const CHAT_BODY = { model: 'chat', messages: [{ role: 'user', content: 'hi' }], max_tokens: 16 };
const GEMINI_BODY = { contents: [{ parts: [{ text: 'hi' }] }] };

const PICTURE = new Blob(['not really a picture'], { type: 'image/png' });

const formOf = (fields: Readonly<Record<string, string | Blob>>): FormData => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
};

/** Says enough for every address of Suno’s and of Midjourney’s. */
const PIECE = { prompt: 'x', taskId: ':id', action: 'UPSCALE', content: ':id U1', customId: 'MJ::JOB::upsample::1::x' };
const PICTURED = { model: 'video', model_name: 'video', prompt: 'a cat', image: 'https://pictures.example/cat.png' };
const IMAGINE = '/mj/submit/imagine';
const PIECE_MODELS = [
  'suno_music',
  'suno_lyrics',
  ...['imagine', 'describe', 'blend', 'shorten', 'modal', 'upscale'].map((each) => `mj_${each}`),
];

const midjourneyCalls = Object.fromEntries(
  ['/mj', '/:mode/mj'].flatMap((prefix) => [
    ...['imagine', 'describe', 'blend', 'shorten'].map((action) => [`${prefix}/submit/${action}`, { body: PIECE }] as const),
    ...['modal', 'change', 'simple-change', 'action'].map(
      (action) => [`${prefix}/submit/${action}`, { about: IMAGINE, body: PIECE }] as const,
    ),
  ]),
);

/** One call for every address that can spend, which nothing but the money keeps from its upstream. `about`: a task that was made before. */
const CALLS: Readonly<Record<string, { readonly model?: string; readonly about?: string; readonly at?: string; readonly body: unknown }>> =
  {
    '/providers/{provider}/{address}': { at: '/providers/openai/v1/odd', body: { model: 'chat', input: 'hi', max_tokens: 16 } },
    '/v1/chat/completions': { body: CHAT_BODY },
    '/v1/completions': { body: { model: 'completion', prompt: 'hi' } },
    '/v1/embeddings': { body: { model: 'embedding', input: 'hi' } },
    '/v1/moderations': { body: { model: 'moderation', input: 'hi' } },
    '/v1/images/generations': { body: { model: 'image', prompt: 'a cat' } },
    '/v1/images/edits': { body: formOf({ model: 'image', prompt: 'a hat', image: PICTURE }) },
    '/v1/images/variations': { body: formOf({ model: 'image', image: PICTURE }) },
    '/v1/audio/speech': { body: { model: 'speech', input: 'hi', voice: 'alloy' } },
    '/v1/audio/transcriptions': { body: formOf({ model: 'transcription', file: PICTURE }) },
    '/v1/audio/translations': { body: formOf({ file: PICTURE, model: 'transcription' }) },
    '/v1/rerank': { body: { model: 'rerank', query: 'hi', documents: ['a', 'b'] } },
    '/v2/rerank': { body: { model: 'rerank', query: 'hi', documents: ['a', 'b'] } },
    '/v1beta/models/{model}:embedContent': { model: 'embedding', body: { content: { parts: [{ text: 'hi' }] } } },
    '/v1beta/models/{model}:batchEmbedContents': { model: 'embedding', body: { requests: [{ content: { parts: [{ text: 'hi' }] } }] } },
    '/v1/videos': { body: { model: 'video', prompt: 'a cat' } },
    '/v1/video/generations': { body: PICTURED },
    '/kling/v1/videos/text2video': { body: PICTURED },
    '/kling/v1/videos/image2video': { body: PICTURED },
    '/suno/submit/music': { body: PIECE },
    '/suno/submit/lyrics': { body: PIECE },
    ...midjourneyCalls,
    '/v1/videos/:id/remix': { about: '/v1/videos', body: { prompt: 'a hat' } },
    [REALTIME]: { at: `${REALTIME}?model=chat`, body: null },
    '/v1/messages': { body: CHAT_BODY },
    '/v1/responses': { body: { model: 'chat', input: 'hi', max_output_tokens: 16 } },
    '/v1beta/models/{model}:generateContent': { model: 'chat', body: GEMINI_BODY },
    '/v1beta/models/{model}:streamGenerateContent': { model: 'chat', body: GEMINI_BODY },
    '/v2/chat': { body: CHAT_BODY },
    '/v2/embed': { body: { model: 'embedding', texts: ['hi'], input_type: 'search_document', embedding_types: ['float'] } },
    '/ollama/api/chat': { body: CHAT_BODY },
    '/ollama/api/generate': { body: { model: 'chat', prompt: 'hi' } },
    '/ollama/api/embed': { body: { model: 'embedding', input: 'hi' } },
    '/bedrock/model/{model}/converse': { model: 'chat', body: { messages: [{ role: 'user', content: [{ text: 'hi' }] }] } },
    '/bedrock/model/{model}/converse-stream': { model: 'chat', body: { messages: [{ role: 'user', content: [{ text: 'hi' }] }] } },
    '/mistral/v1/chat/completions': { body: CHAT_BODY },
    '/mistral/v1/embeddings': { body: { model: 'embedding', input: 'hi' } },
    '/openai/deployments/{model}/chat/completions': { model: 'chat', body: { messages: CHAT_BODY.messages } },
    '/openai/deployments/{model}/completions': { model: 'completion', body: { prompt: 'hi' } },
    '/openai/deployments/{model}/embeddings': { model: 'embedding', body: { model: 'another', input: 'hi' } },
    '/openai/deployments/{model}/images/generations': { model: 'image', body: { prompt: 'a cat' } },
    '/openai/deployments/{model}/audio/speech': { model: 'speech', body: { input: 'hi', voice: 'alloy' } },
  };

/** Take a file or a store first, so that they are shown to need money where those are tested. */
const SHOWN_ELSEWHERE = ['/v1/batches', '/v1/messages/batches', '/v1/vector_stores/:id/search'];

/** Addresses whose patterns stand for several. */
const PATTERNS = [
  ['/v1beta/models/', '/v1beta/models/*rest'],
  ['/openai/deployments/', '/openai/deployments/*rest'],
  ['/bedrock/model/', '/bedrock/model/*rest'],
  ['/providers/', '/providers/*rest'],
] as const;

/** To read and to delete costs nothing at a provider’s own addresses. */
const methodsAt = (path: string): readonly string[] =>
  path === '/providers/*rest' ? ['post', 'put', 'patch'] : ['get', 'post', 'put', 'delete', 'patch'];

const patternOf = (path: string): string => PATTERNS.find(([prefix]) => path.startsWith(prefix))?.[1] ?? path;

const asBody = (body: unknown): { readonly body: string | FormData; readonly headers: Record<string, string> } =>
  body instanceof FormData ? { body, headers: {} } : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };

describe('the table of the relay’s routes', () => {
  let upstream: EndpointUpstream;
  let relay: RelayHarness;

  before(async () => {
    upstream = await startEndpointUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    const { log, appender, book } = await openLedger();
    relay = await startRelay({ tasks: memoryDesk({ log, appender, book, clock: { now: () => Date.now() }, relay: () => relay }) });
    relay.directory.channels = [channel(upstream.baseUrl, { models: MODEL_KINDS, passThrough: 'everything' })];
    const root = upstream.baseUrl.slice(0, -'/v1'.length);
    relay.directory.channels = [
      ...relay.directory.channels,
      channel(root, { provider: 'suno', models: PIECE_MODELS.filter((each) => each.startsWith('suno')) }),
      channel(root, { provider: 'midjourney-proxy', models: PIECE_MODELS.filter((each) => each.startsWith('mj')) }),
    ];
    for (const kind of MODEL_KINDS) relay.directory.prices.set(kind, priceOfKind(kind));
    for (const model of PIECE_MODELS) relay.directory.prices.set(model, { model, kind: 'other', rates: { call: 1_000n as Money } });
  });
  afterEach(() => relay.close());

  const call = (method: string, path: string, sent: unknown): Promise<Response> => {
    const { body, headers } = asBody(sent);
    return fetch(`${relay.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}`, ...headers },
      ...(method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? {} : { body }),
    });
  };

  /** The id of a task that was asked for at this address. */
  const taskAt = async (path: string): Promise<string> => {
    upstream.on(path, json({ id: 'up_1', status: 'queued', code: 1, result: 'up_1' }));
    const made = (await (await call('POST', path, CALLS[path]?.body)).json()) as { readonly id?: string; readonly result?: string };
    upstream.reset();
    return made.id ?? made.result ?? '';
  };

  /** Asks an address for what costs money, in its own way; resolves with what it says. */
  const spend = async (address: string, body: unknown): Promise<string> => {
    if (!address.startsWith(REALTIME)) return (await call('POST', address, body)).text();
    const client = new RealtimeClient(`${relay.url.replace('http', 'ws')}${address}`, { headers: { authorization: `Bearer ${KEY}` } });
    await client.until(() => client.answer !== null);
    return client.answer?.body ?? '';
  };

  /** Every method and address that the router answers, with what stands for anything replaced by something. */
  const answered = (): readonly (readonly [method: string, path: string])[] =>
    relay.routes.flatMap(({ path, methods }) => {
      const paths =
        path === '/v1beta/models/*rest'
          ? [...GEMINI_METHODS.keys(), 'countTokens', 'x'].map((each) => `/v1beta/models/chat:${each}`)
          : PATTERNS.some(([, pattern]) => pattern === path)
            ? relay.spendingRoutes.filter((each) => patternOf(each) === path).map((each) => each.replace('{model}', 'chat'))
            : path === '/providers/*rest'
              ? ['chat/completions', 'odd', 'files', 'models/chat:odd'].map((each) => `/providers/openai/v1/${each}`)
              : [path];
      return paths.flatMap((each) =>
        methods.flatMap((method) =>
          (method === undefined || method === '_all' ? methodsAt(path) : [method]).map(
            (one) => [one.toUpperCase(), each.replace(/\*\w+|:(?!\w*(?:Content|Contents|Tokens|x$))\w+/g, 'chat')] as const,
          ),
        ),
      );
    });

  it('has a call in this test for every address that can spend', () => {
    expect([...Object.keys(CALLS), ...SHOWN_ELSEWHERE].sort()).to.deep.equal([...relay.spendingRoutes].sort());
    const registered = new Set(relay.routes.map(({ path }) => path));
    for (const path of relay.spendingRoutes) expect(registered.has(patternOf(path)), path).to.equal(true);
  });

  it('lets every spending address through to its upstream for money, and none without', async () => {
    for (const [path, { model, about, at, body: said }] of Object.entries(CALLS)) {
      const id = about === undefined ? '' : await taskAt(about);
      const address =
        at ??
        path
          .replace('{model}', model ?? '')
          .replace(':id', id)
          .replace(':mode', 'fast');
      const body = about === undefined ? said : (JSON.parse(JSON.stringify(said).replaceAll(':id', id)) as unknown);
      relay.spending.balance = 0n as Money;
      expect(await spend(address, body), path).to.match(/insufficient_quota|The balance does not cover/);
      expect(upstream.calls, path).to.have.length(0);
      relay.spending.balance = 1_000_000_000_000n as Money;
      const held = relay.spending.reservations.length;
      await spend(address, body);
      expect(upstream.calls.length, path).to.be.greaterThan(0);
      expect(relay.spending.reservations, path).to.have.length(held + 1);
      upstream.reset();
    }
    await relay.idle();
    expect(relay.spending.unended).to.equal(0);
  });

  it('asks nothing of an upstream, at whatever address and by whatever method, that no money was set aside for', async function () {
    this.timeout(60_000);
    // Where every address takes the same, more would only be slower.
    const fewBodies = [PIECE, PICTURED, CHAT_BODY, {}];
    const bodies = [...new Set(Object.values(CALLS).map(({ body }) => body)), {}];
    relay.spending.balance = 0n as Money;
    // A method that is answered and all that are not are two rows of the table, and one call here.
    const tried = [...new Map(answered().map((each) => [each.join(' '), each])).values()];
    expect(tried.length).to.be.greaterThan(20);
    await Promise.all(
      tried.flatMap(([method, path]) =>
        (method === 'POST' ? (/^\/(suno|\w+\/mj|mj|kling)\//.test(path) ? fewBodies : bodies) : [{}]).map(
          async (body) => void (await (await call(method, path, body)).text()),
        ),
      ),
    );
    expect(upstream.calls.map(({ path }) => path)).to.deep.equal([]);
  });
});
