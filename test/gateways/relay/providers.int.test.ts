import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import * as prettier from 'prettier';
import { fillBaseUrl } from '../../../domain/providers/fill-base-url.ts';
import type { Provider } from '../../../domain/providers/provider.ts';
import { PROVIDERS } from '../../../domain/providers/providers.ts';
import type { Money } from '../../../schemas/money.ts';
import { startAnthropicMock } from '../../support/fake-upstream/anthropic-mock.ts';
import { ACCESS_KEY, SECRET_KEY, startBedrockMock } from '../../support/fake-upstream/bedrock-mock.ts';
import { startCozeMock, startDifyMock } from '../../support/fake-upstream/app-mocks.ts';
import { startCohereMock } from '../../support/fake-upstream/cohere-mock.ts';
import { startDashscopeMock } from '../../support/fake-upstream/dashscope-mock.ts';
import { startGeminiMock } from '../../support/fake-upstream/gemini-mock.ts';
import { SECRET_ID, SECRET_KEY as TENCENT_KEY, startHunyuanMock } from '../../support/fake-upstream/hunyuan-mock.ts';
import { jsonReply, startMockServer, type MockServer } from '../../support/fake-upstream/mock-server.ts';
import { startOllamaMock } from '../../support/fake-upstream/ollama-mock.ts';
import { startReplicateMock } from '../../support/fake-upstream/replicate-mock.ts';
import { APP_KEY, startSparkMock } from '../../support/fake-upstream/spark-mock.ts';
import { startWenxinMock } from '../../support/fake-upstream/wenxin-mock.ts';
import { MANNERED, mannersOf, TOKENS, usageOf } from '../../support/provider-upstream/manners.ts';
import { withTable, type Shown } from '../../support/provider-upstream/provider-table.ts';
import { modelOf, SAID, startProviderUpstream, THOUGHT, VECTOR, type ProviderUpstream } from '../../support/provider-upstream/server.ts';
import { channel, chatPrice, startRelay, type RelayHarness } from './relay-harness.ts';

const PAGE = new URL('../../../docs/providers.md', import.meta.url);
const REWRITE = 'OBLIVIOUS_WRITE_DOCS=1 npx mocha test/gateways/relay/providers.int.test.ts';

/** Everything that some provider has its own mind about. */
const ASKED = {
  model: 'm',
  messages: [{ role: 'user', content: 'Good day.' }],
  temperature: 1.8,
  top_p: 1,
  frequency_penalty: 0.1,
  max_completion_tokens: 50,
  max_tokens: 50,
  seed: 7,
  user: 'somebody',
  logprobs: false,
  logit_bias: {},
  store: false,
} as const;
const EMBEDDED = { model: 'e', input: ['Good day.'], dimensions: 3, encoding_format: 'base64', user: 'somebody' } as const;

const TASK_DIALECTS: ReadonlySet<string> = new Set(['kling', 'suno', 'midjourney']);

const LIKE_OPENAI = PROVIDERS.filter(({ dialect, internal }) => (dialect === 'openai' || dialect === 'azure') && internal !== true);

interface Completion {
  readonly choices: readonly {
    readonly message: { readonly content: string; readonly reasoning?: string; readonly reasoning_content?: string };
    readonly finish_reason: string;
  }[];
}

interface Chunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string; readonly reasoning?: string; readonly reasoning_content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

const keyOf = ({ id, auth }: Provider): string => (auth.kind === 'zhipu' ? 'id-1.secret-1' : `sk-${id}`);

const chunksOf = (stream: string): readonly Chunk[] =>
  stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as Chunk);

/** Providers with a format of their own, by it: a mock that speaks it as strictly as they do, and what its answers come to. */
const OTHERS: Readonly<Record<string, { start: () => Promise<MockServer>; version: string; key: string; input: number; output: number }>> =
  {
    anthropic: { start: startAnthropicMock, version: '/v1', key: 'x-api-key', input: 34, output: 16 },
    gemini: { start: startGeminiMock, version: '/v1beta', key: 'x-goog-api-key', input: 25, output: 16 },
    cohere: { start: startCohereMock, version: '/v2', key: 'authorization', input: 20, output: 7 },
    bedrock: { start: startBedrockMock, version: '', key: 'authorization', input: 20, output: 7 },
    ollama: { start: startOllamaMock, version: '/api', key: 'authorization', input: 20, output: 7 },
    dashscope: { start: startDashscopeMock, version: '/api/v1', key: 'authorization', input: 20, output: 7 },
    hunyuan: { start: startHunyuanMock, version: '', key: 'authorization', input: 20, output: 7 },
    // The token stands in the address, which the mock insists on.
    wenxin: { start: startWenxinMock, version: '/rpc/2.0/ai_custom/v1/wenxinworkshop', key: 'content-type', input: 20, output: 7 },
    dify: { start: startDifyMock, version: '/v1', key: 'authorization', input: 20, output: 7 },
    // The signature stands in the address, which the mock insists on.
    spark: { start: startSparkMock, version: '', key: 'upgrade', input: 20, output: 7 },
    replicate: { start: startReplicateMock, version: '/v1', key: 'authorization', input: 20, output: 7 },
    coze: { start: startCozeMock, version: '', key: 'authorization', input: 20, output: 7 },
  };

/** Models of formats that know only some. */
const MODELS: Readonly<Record<string, string>> = { spark: 'generalv3.5', replicate: 'meta/llama' };

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** A credential for each way to prove who asks that is more than a header, and what the proof looks like. */
const PROOFS: Readonly<Record<string, { readonly credential: string; readonly header: RegExp }>> = {
  aws: { credential: `${ACCESS_KEY}:${SECRET_KEY}`, header: /^AWS4-HMAC-SHA256 / },
  tencent: { credential: `${SECRET_ID}|${TENCENT_KEY}`, header: /^TC3-HMAC-SHA256 / },
  iflytek: { credential: APP_KEY, header: /^websocket$/ },
  baidu: { credential: 'ak|sk-1', header: /^application\/json$/ },
  google: {
    credential: JSON.stringify({ client_email: 'relay@p.iam.gserviceaccount.com', private_key: privateKey }),
    header: /^Bearer ya29\.token$/,
  },
};

describe('the providers', () => {
  let upstream: ProviderUpstream;
  let relay: RelayHarness;
  let google: MockServer;
  const shown = new Map<string, Shown>();

  before(async () => {
    upstream = await startProviderUpstream();
    google = await startMockServer(() => jsonReply(200, { access_token: 'ya29.token', expires_in: 3_599 }));
    relay = await startRelay({ googleTokenUrl: `${google.url}/token` });
    relay.directory.prices.set('m', chatPrice('m'));
    relay.directory.prices.set('e', { model: 'e', kind: 'embedding', rates: { input: 100_000_000n as Money } });
  });
  after(async () => {
    await relay.close();
    await google.close();
    await upstream.close();
  });

  const serveBy = (provider: Provider): string => {
    const values = Object.fromEntries((provider.blanks ?? []).map(({ name }) => [name, `my-${name}`]));
    const baseUrl = provider.baseUrl === null ? 'https://model.host/v1' : fillBaseUrl(provider, values);
    if (typeof baseUrl !== 'string') throw new Error(baseUrl.message);
    const pathname = new URL(baseUrl).pathname.replace(/\/$/, '');
    relay.directory.channels = [
      channel(`${upstream.origin}${pathname}`, {
        provider: provider.id,
        models: [`m=${modelOf(provider.id)}`, `e=${modelOf(provider.id)}`],
        keys: [keyOf(provider)],
      }),
    ];
    upstream.take();
    return pathname;
  };

  /** The only call that was made of the upstream, which found its credential where it looks for it. */
  const asked = (provider: Provider, path: string): string => {
    const calls = upstream.take();
    expect(calls.map((call) => call.path)).to.deep.equal([path]);
    const { credential = ['authorization', 'Bearer '] } = mannersOf(provider.id);
    const headers = calls[0]?.headers ?? {};
    if (provider.auth.kind === 'zhipu') expect(headers.authorization).to.match(/^Bearer ([\w-]+\.){2}[\w-]+$/);
    else if (credential !== null) expect(headers[credential[0]]).to.equal(`${credential[1]}${keyOf(provider)}`);
    if (credential?.[0] !== 'authorization') expect(headers.authorization).to.equal(undefined);
    return calls[0]?.text ?? '';
  };

  const check = (provider: Provider, base: string, sent: object): void => {
    const manners = mannersOf(provider.id);
    const text = asked(provider, manners.chatPath ?? `${base}/chat/completions`);
    const { wants = [], refuses, most } = manners;
    const body = JSON.parse(text) as Record<string, unknown>;
    for (const name of wants) expect(body, 'what it must be sent').to.have.property(name);
    // Nothing but the model's name is touched where there is no reason to.
    if (wants.length === 0 && refuses === undefined && most === undefined)
      expect(text).to.equal(JSON.stringify({ ...sent, model: modelOf(provider.id) }));
  };

  const charged = (): object | undefined => relay.spending.charges.at(-1)?.usage;

  for (const provider of LIKE_OPENAI) {
    const { id, serves } = provider;
    const seen = (part: Partial<Shown>): void => {
      const before = shown.get(id) ?? { provider, plain: null, streamed: null, embeddings: null };
      shown.set(id, { ...before, ...part });
    };
    const manners = mannersOf(id);
    const reason = manners.finish?.[1] ?? 'stop';

    if (serves.includes('chat')) {
      it(`${id}: a plain answer`, async () => {
        seen({ plain: false });
        const base = serveBy(provider);
        const response = await relay.post('/v1/chat/completions', ASKED);
        const answer = (await response.json()) as Completion;
        expect(response.status, JSON.stringify(answer)).to.equal(200);
        expect(answer.choices[0]?.message.content).to.equal(SAID);
        expect(answer.choices[0]?.finish_reason).to.equal(reason);
        await relay.idle();
        check(provider, base, ASKED);
        expect(charged()).to.deep.equal(usageOf(manners).classes);
        seen({ plain: true });
      });

      it(`${id}: a stream`, async () => {
        seen({ streamed: false });
        const base = serveBy(provider);
        const sent = { stream_options: { include_usage: true }, ...ASKED, stream: true };
        const response = await relay.post('/v1/chat/completions', sent);
        expect(response.status).to.equal(200);
        const stream = await response.text();
        const chunks = chunksOf(stream);
        const said = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join('');
        const thought = chunks
          .flatMap(({ choices }) => choices.map(({ delta }) => delta.reasoning_content ?? delta.reasoning ?? ''))
          .join('');
        expect([said, thought]).to.deep.equal([SAID, THOUGHT]);
        expect(chunks.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason).filter(Boolean))).to.deep.equal([reason]);
        // Usage is in the end a chunk of its own, as OpenAI's clients expect, wherever the provider put it.
        const last = chunks.at(-1);
        expect([last?.choices, last?.usage?.prompt_tokens, last?.usage?.completion_tokens]).to.deep.equal(
          id === 'xai' ? [[], TOKENS.prompt - TOKENS.cached, TOKENS.output - TOKENS.reasoning] : [[], TOKENS.prompt, TOKENS.output],
        );
        expect(stream.endsWith('data: [DONE]\n\n')).to.equal(true);
        await relay.idle();
        check(provider, base, sent);
        expect(charged()).to.deep.equal(usageOf(manners).classes);
        seen({ streamed: true });
      });
    }

    if (serves.includes('embeddings'))
      it(`${id}: embeddings`, async () => {
        seen({ embeddings: false });
        const base = serveBy(provider);
        const response = await relay.post('/v1/embeddings', EMBEDDED);
        const answer = (await response.json()) as { readonly data: readonly { readonly embedding: string }[] };
        expect(response.status, JSON.stringify(answer)).to.equal(200);
        const vector = Buffer.from(answer.data[0]?.embedding ?? '', 'base64');
        expect([0, 4, 8].map((at) => vector.readFloatLE(at))).to.deep.equal(VECTOR);
        await relay.idle();
        asked(provider, manners.embeddingsPath ?? `${base}/embeddings`);
        expect(charged()).to.deep.equal({ input: TOKENS.prompt });
        seen({ embeddings: true });
      });
  }

  for (const [dialect, { start, version, key, input, output }] of Object.entries(OTHERS))
    describe(`that speak the format of ${dialect}`, () => {
      let mock: MockServer;
      before(async () => {
        mock = await start();
      });
      after(() => mock.close());

      for (const provider of PROVIDERS.filter((each) => each.dialect === dialect)) {
        const { id, serves, auth } = provider;
        const proof = PROOFS[auth.kind] ?? { credential: `sk-${id}`, header: new RegExp(`^(Bearer )?sk-${id}$`) };
        const header = auth.kind === 'header' ? auth.name : auth.kind === 'google' ? 'authorization' : key;
        const begin = (): void => {
          mock.requests.length = 0;
          if (!shown.has(id))
            shown.set(id, { provider, plain: false, streamed: false, embeddings: serves.includes('embeddings') ? false : null });
          relay.directory.channels = [
            channel(mock.url + version, {
              provider: id,
              models: [`m=${MODELS[dialect] ?? modelOf(id)}`, `e=${modelOf(id)}`],
              keys: [proof.credential],
            }),
          ];
        };
        const end = async (part: Partial<Shown>): Promise<void> => {
          await relay.idle();
          // Tokens are asked for, and work is looked at again.
          const calls = mock.requests.filter(
            ({ path, method }) => path !== '/oauth/2.0/token' && (dialect !== 'replicate' || method === 'POST'),
          );
          expect(calls).to.have.length(1);
          expect(calls[0]?.headers[header]).to.match(proof.header);
          shown.set(id, { ...(shown.get(id) as Shown), ...part });
        };
        it(`${id}: a plain answer`, async () => {
          begin();
          const response = await relay.post('/v1/chat/completions', { ...ASKED, temperature: 0.5, logit_bias: undefined });
          const answer = (await response.json()) as Completion & Chunk;
          expect(response.status, JSON.stringify(answer)).to.equal(200);
          expect([answer.choices[0]?.message.content, answer.choices[0]?.finish_reason]).to.deep.equal(['Hello there.', 'stop']);
          expect([answer.usage?.prompt_tokens, answer.usage?.completion_tokens]).to.deep.equal([input, output]);
          await end({ plain: true });
        });
        it(`${id}: a stream`, async () => {
          begin();
          const response = await relay.post('/v1/chat/completions', { ...ASKED, stream: true, stream_options: { include_usage: true } });
          const chunks = chunksOf(await response.text());
          const said = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join('');
          expect(said).to.equal('Hello there.');
          expect([chunks.at(-1)?.usage?.prompt_tokens, chunks.at(-1)?.usage?.completion_tokens]).to.deep.equal([input, output]);
          await end({ streamed: true });
        });
        if (serves.includes('embeddings'))
          it(`${id}: embeddings`, async () => {
            begin();
            const response = await relay.post('/v1/embeddings', { model: 'e', input: ['Good day.'] });
            const answer = (await response.json()) as { readonly data: readonly { readonly embedding: readonly number[] }[] };
            expect(response.status, JSON.stringify(answer)).to.equal(200);
            expect(answer.data[0]?.embedding).to.have.length.greaterThan(0);
            await end({ embeddings: true });
          });
      }
    });

  describe('all of them', () => {
    it('are those whose manners are known', () => {
      const ids = new Set(PROVIDERS.map(({ id }) => id));
      expect(ids.size).to.equal(PROVIDERS.length);
      expect(MANNERED.filter((id) => !ids.has(id))).to.deep.equal([]);
    });

    it('are at least 120, and the page says so of each', async function () {
      // Only a run of all of them says anything. Those that do nothing but tasks are asked otherwise.
      const all = PROVIDERS.filter(({ internal, dialect }) => internal !== true && !TASK_DIALECTS.has(dialect));
      if (shown.size < all.length) return this.skip();
      expect(shown.size).to.be.at.least(120);
      const page = await readFile(PAGE, 'utf8');
      const options = { ...(await prettier.resolveConfig(PAGE)), parser: 'markdown' };
      const wanted = await prettier.format(withTable(page, [...shown.values()]), options);
      if (process.env['OBLIVIOUS_WRITE_DOCS'] === '1') return void (await writeFile(PAGE, wanted));
      expect(page === wanted, `docs/providers.md is not what the tests have shown. This rewrites it: ${REWRITE}`).to.equal(true);
    });
  });
});
