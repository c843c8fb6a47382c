import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import * as prettier from 'prettier';
import { anthropicError, anthropicEvents, anthropicMessage, startAnthropicMock } from '../../../support/fake-upstream/anthropic-mock.ts';
import { geminiError, geminiEvents, geminiResponse, startGeminiMock } from '../../../support/fake-upstream/gemini-mock.ts';
import { eventReply, type MockReply, type MockServer } from '../../../support/fake-upstream/mock-server.ts';
import { openaiError, openaiEvents, startOpenaiMock } from '../../../support/fake-upstream/openai-mock.ts';
import { memoryArchive } from '../memory-archive.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from '../relay-harness.ts';
import { aiSdkClients } from './ai-sdk-clients.ts';
import { withMatrix, type Aspect, type MatrixRow } from './client-matrix.ts';
import { langchainClients } from './langchain-clients.ts';
import { CLAUDE, GEMINI, type MatrixClient } from './matrix-client.ts';
import { openaiLikeClients } from './openai-like-clients.ts';
import { ownFormatClients } from './own-format-clients.ts';
import { officialClients } from './official-clients.ts';

const PAGE = new URL('../../../../docs/dialects.md', import.meta.url);
const REWRITE = 'OBLIVIOUS_WRITE_DOCS=1 npx mocha test/gateways/relay/clients/clients.int.test.ts';

const ASKED = [{ role: 'user', content: 'Hello.' }];

interface Upstream {
  readonly name: string;
  readonly provider: string;
  readonly version: string;
  readonly model: string;
  readonly embeds: boolean;
  readonly start: () => Promise<MockServer>;
  /** The beginning of an answer. */
  readonly begun: () => readonly string[];
  readonly wrong: MockReply;
  readonly limited: MockReply;
}

/** Some clients know models by their names, and treat the others as old ones. */
const MODELS = ['m', CLAUDE, GEMINI];

const WRONG = 'This is wrong of you.';

const UPSTREAMS: readonly Upstream[] = [
  {
    name: 'chat completions',
    provider: 'openai',
    version: '/v1',
    model: 'gpt-4.1',
    embeds: true,
    start: startOpenaiMock,
    begun: () => openaiEvents({ model: 'gpt-4.1', messages: ASKED }).slice(0, 3),
    wrong: openaiError(400, 'invalid_request_error', WRONG),
    limited: openaiError(429, 'rate_limit_error', 'Slow down.', { 'retry-after': '7' }),
  },
  {
    name: 'Messages',
    provider: 'anthropic',
    version: '/v1',
    model: 'claude-sonnet-4-5',
    embeds: false,
    start: startAnthropicMock,
    begun: () => anthropicEvents(anthropicMessage({ messages: ASKED })).slice(0, 5),
    wrong: anthropicError(400, 'invalid_request_error', WRONG),
    limited: anthropicError(429, 'rate_limit_error', 'Slow down.', { 'retry-after': '7' }),
  },
  {
    name: 'generateContent',
    provider: 'gemini',
    version: '/v1beta',
    model: 'gemini-3-flash',
    embeds: true,
    start: startGeminiMock,
    begun: () => geminiEvents(geminiResponse({ contents: [{ parts: [] }] })).slice(0, 2),
    wrong: geminiError(400, 'INVALID_ARGUMENT', WRONG),
    limited: geminiError(429, 'RESOURCE_EXHAUSTED', 'Slow down.', [
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' },
    ]),
  },
];

const clientsOf = (url: string): readonly MatrixClient[] => [
  ...officialClients(url, KEY),
  ...openaiLikeClients(url, KEY),
  ...ownFormatClients(url, KEY),
  ...aiSdkClients(url, KEY),
  ...langchainClients(url, KEY),
];

const thrownBy = async (client: MatrixClient): Promise<ReturnType<MatrixClient['thrown']>> => {
  const error: unknown = await client.text().then(
    () => expect.fail('was answered'),
    (thrown: unknown) => thrown,
  );
  return client.thrown(error);
};

describe('clients before upstreams of every dialect', () => {
  before(() => {
    // They warn of models that they do not know by name.
    Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
  });

  const shown = new Map<string, Map<string, Set<Aspect>>>();
  const embedding = new Set<string>();
  const rows: MatrixRow[] = clientsOf('http://127.0.0.1:1').map(({ name, format, embed }) => {
    if (embed !== null) embedding.add(`${name} ${format}`);
    const byUpstream = new Map<string, Set<Aspect>>();
    shown.set(`${name} ${format}`, byUpstream);
    return { client: name, format, shown: byUpstream };
  });

  for (const upstream of UPSTREAMS) {
    describe(`an upstream that speaks ${upstream.name}`, () => {
      let mock: MockServer;
      let relay: RelayHarness;
      let clients: readonly MatrixClient[];

      before(async () => {
        mock = await upstream.start();
        relay = await startRelay({ archive: memoryArchive().archive });
        for (const name of MODELS) relay.directory.prices.set(name, chatPrice(name));
        relay.directory.prices.set('e', chatPrice('e', { kind: 'embedding' }));
        clients = clientsOf(relay.url);
      });
      beforeEach(() => {
        // A channel whose key rests since the last test would serve nobody in this one.
        const models = [...MODELS.map((name) => `${name}=${upstream.model}`), ...(upstream.embeds ? ['e'] : [])];
        relay.directory.channels = [channel(mock.url + upstream.version, { provider: upstream.provider, models })];
        mock.next.length = 0;
      });
      after(async () => {
        await relay.idle();
        expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
        await relay.close();
        await mock.close();
      });

      for (const [index, { client: name, format }] of rows.entries()) {
        const client = (): MatrixClient => clients[index] as MatrixClient;
        const shows = (aspect: Aspect, what: string, works: () => Promise<unknown>): void => {
          it(`${name} (${format}) ${what}`, async () => {
            await works();
            const byUpstream = shown.get(`${name} ${format}`);
            byUpstream?.set(upstream.name, (byUpstream.get(upstream.name) ?? new Set()).add(aspect));
          });
        };

        shows('text', 'gets an answer', async () => expect(await client().text()).to.equal('Hello there.'));
        shows('stream', 'reads a stream', async () => expect(await client().streamedText()).to.equal('Hello there.'));
        shows('tools', 'is called twice at once, and tells the results', async () => {
          const { calls, text } = await client().tools();
          expect(calls).to.deep.equal([{ city: 'Oslo' }, { city: 'Rome' }]);
          expect(text).to.equal('It is sunny in both.');
        });
        shows('structured', 'gets what fits a schema', async () => expect(await client().structured()).to.deep.equal({ city: 'Oslo' }));
        shows('image', 'shows an image', async () => expect(await client().image()).to.equal('I see an image/png.'));
        shows('errors', 'hears what was wrong, and when to slow down', async () => {
          mock.next.push(upstream.wrong);
          const wrong = await thrownBy(client());
          expect(wrong.message).to.include(WRONG);
          // Two of them do not tell the status.
          if (wrong.status !== undefined) expect(wrong.status).to.equal(400);
          mock.next.push(upstream.limited);
          const limited = await thrownBy(client());
          if (limited.status !== undefined) expect(limited.status).to.equal(429);
        });
        // Google bills an answer to its end whether or not anybody reads it, so it is read.
        const isReadOn = upstream.provider === 'gemini';
        shows('abort', isReadOn ? 'leaves, and the call upstream ends by itself' : 'leaves, and so does the call upstream', async () => {
          if (isReadOn) {
            await client().leave();
            return relay.idle();
          }
          const before = mock.left;
          mock.next.push(eventReply(upstream.begun(), { hang: true }));
          await client().leave();
          await relay.idle();
          for (let turns = 0; mock.left === before && turns < 500; turns++) await new Promise((resolve) => setTimeout(resolve, 10));
          expect(mock.left).to.equal(before + 1);
        });
        if (!upstream.embeds || !embedding.has(`${name} ${format}`)) continue;
        shows('embeddings', 'embeds', async () =>
          expect(await client().embed?.(['a', 'b'])).to.deep.equal([
            [0, 0.5, -0.25],
            [1, 0.5, -0.25],
          ]),
        );
      }
    });
  }

  // Behind all of the others: it tells what they saw.
  describe('the documentation', () => {
    it('says what was seen', async () => {
      const page = await readFile(PAGE, 'utf8');
      const names = UPSTREAMS.map(({ name }) => name);
      const options = await prettier.resolveConfig(PAGE);
      const now = await prettier.format(withMatrix(page, rows, names), { ...options, filepath: 'dialects.md' });
      if (process.env['OBLIVIOUS_WRITE_DOCS'] === '1') await writeFile(PAGE, now);
      else expect(page, `the table is old; write it anew with: ${REWRITE}`).to.equal(now);
    });
  });
});
