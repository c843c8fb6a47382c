import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import OpenAI from 'openai';
import {
  ACCESS_KEY,
  bedrockError,
  framesReply,
  exceptionFrame,
  SECRET_KEY,
  startBedrockMock,
} from '../../../support/fake-upstream/bedrock-mock.ts';
import { startGeminiMock } from '../../../support/fake-upstream/gemini-mock.ts';
import { jsonReply, startMockServer, type MockServer } from '../../../support/fake-upstream/mock-server.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from '../relay-harness.ts';

const ASKED = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello.' }] };
const TOOLS = [{ type: 'function' as const, function: { name: 'weather', parameters: { type: 'object', properties: {} } } }];

describe('upstreams that want every request proved', () => {
  let bedrock: MockServer;
  let gemini: MockServer;
  let google: MockServer;
  let relay: RelayHarness;
  let client: OpenAI;

  before(async () => {
    bedrock = await startBedrockMock();
    gemini = await startGeminiMock();
    google = await startMockServer(() => jsonReply(200, { access_token: 'ya29.token', expires_in: 3_599 }));
  });
  after(() => Promise.all([bedrock.close(), gemini.close(), google.close()]));
  beforeEach(async () => {
    for (const { requests } of [bedrock, gemini, google]) requests.length = 0;
    relay = await startRelay({ googleTokenUrl: `${google.url}/token` });
    relay.directory.prices.set('m', chatPrice('m'));
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    expect(JSON.stringify(relay.lines)).not.to.include(SECRET_KEY);
    await relay.close();
  });

  describe('Claude on Bedrock', () => {
    const serve = (...keys: readonly string[]): void => {
      relay.directory.channels = [
        channel(bedrock.url, { provider: 'aws-bedrock', models: ['m=eu.anthropic.claude-sonnet-4-5-20250929-v1:0'], keys }),
      ];
    };

    it('is asked in Anthropic’s words, signed', async () => {
      serve(`${ACCESS_KEY}:${SECRET_KEY}`);
      const completion = await client.chat.completions.create({
        ...ASKED,
        tools: TOOLS,
        reasoning_effort: 'low',
        max_completion_tokens: 2_000,
      });
      expect(completion.choices[0]?.finish_reason).to.equal('tool_calls');
      expect(completion.choices[0]?.message).to.have.property('reasoning_content', 'Let me think.');
      expect(completion.usage).to.deep.include({ prompt_tokens: 34, completion_tokens: 16 });
      const [asked] = bedrock.requests;
      expect(asked?.path).to.equal('/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke');
      expect(asked?.json)
        .to.include({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 2_000 })
        .and.not.to.have.any.keys('model', 'stream');
    });

    it('streams in frames', async () => {
      serve(`${ACCESS_KEY}:${SECRET_KEY}`);
      const completion = await client.chat.completions.stream({ ...ASKED, stream_options: { include_usage: true } }).finalChatCompletion();
      expect(completion.choices[0]?.message.content).to.equal('Hello there.');
      expect(completion.usage).to.deep.include({ prompt_tokens: 34, completion_tokens: 16 });
      expect(bedrock.requests[0]?.path).to.match(/invoke-with-response-stream$/);
      expect(bedrock.requests[0]?.headers.accept).to.equal('application/vnd.amazon.eventstream');
    });

    it('takes a key of Bedrock’s own as a bearer', async () => {
      serve('ABSK-bedrock');
      await client.chat.completions.create(ASKED);
      expect(bedrock.requests[0]?.headers.authorization).to.equal('Bearer ABSK-bedrock');
    });

    it('loses keys that do not sign, and those that are none', async () => {
      serve(`${ACCESS_KEY}:wrong`, 'a:b:c:d', `${ACCESS_KEY}:${SECRET_KEY}`);
      await client.chat.completions.create(ASKED);
      expect(relay.health.refusedKeys).to.have.length.within(0, 2);
      for (let more = 0; more < 3; more++) await client.chat.completions.create(ASKED);
      expect(relay.health.refusedKeys).to.have.length(2);
    });

    it('keeps a key that may not use this one model', async () => {
      serve(`${ACCESS_KEY}:${SECRET_KEY}`);
      bedrock.next.push(bedrockError(403, "You don't have access to the model with the specified model ID.", 'AccessDeniedException'));
      expect(await client.chat.completions.create(ASKED).catch((error: unknown) => error)).to.be.instanceOf(OpenAI.APIError);
      expect(relay.health.refusedKeys).to.deep.equal([]);
    });

    it('fails where a stream begins with an exception', async () => {
      serve(`${ACCESS_KEY}:${SECRET_KEY}`);
      bedrock.next.push(framesReply([exceptionFrame('throttlingException', 'slow down')]));
      const error = await client.chat.completions.create({ ...ASKED, stream: true }).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(OpenAI.InternalServerError);
    });
  });

  describe('Gemini on Vertex AI', () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const account = JSON.stringify({ client_email: 'relay@p.iam.gserviceaccount.com', private_key: privateKey });
    const serve = (...keys: readonly string[]): void => {
      relay.directory.channels = [channel(`${gemini.url}/v1beta`, { provider: 'google-vertex', models: ['m=gemini-3-flash'], keys })];
    };
    const tokens = (): readonly (string | undefined)[] => gemini.requests.map(({ headers }) => headers.authorization);

    it('is asked with a token, got once', async () => {
      serve(account);
      for (let times = 0; times < 3; times++) {
        const completion = await client.chat.completions.create(ASKED);
        expect(completion.choices[0]?.message.content).to.equal('Hello there.');
      }
      expect(google.requests.map(({ path }) => path)).to.deep.equal(['/token']);
      expect(tokens()[0]).to.equal('Bearer ya29.token');
      expect(JSON.stringify(gemini.requests.map(({ headers }) => headers))).not.to.include('PRIVATE KEY');
    });

    it('loses a key that Google takes for none, and waits where Google does not answer', async () => {
      serve(account);
      google.next.push(jsonReply(400, { error: 'invalid_grant' }));
      await client.chat.completions.create(ASKED).catch(() => undefined);
      expect(relay.health.refusedKeys).to.have.length(1);
      serve(account.replace('relay@', 'other@'));
      google.next.push(jsonReply(503, {}));
      const error = await client.chat.completions.create(ASKED).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(OpenAI.InternalServerError);
      expect(relay.health.refusedKeys).to.have.length(1);
      expect(gemini.requests).to.deep.equal([]);
    });
  });
});
