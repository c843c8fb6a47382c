import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import { expect } from 'chai';
import { fakeText } from '../../support/fake-upstream/answer.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const ASKED = { model: 'm', contents: 'What is in the ledger?' };
const TOOLS = [{ functionDeclarations: [{ name: 'look', parameters: { type: Type.OBJECT, properties: { at: { type: Type.INTEGER } } } }] }];

describe('the official Google client, before an upstream that speaks OpenAI’s format', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;
  let client: GoogleGenAI;

  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay();
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['m=fake-small', 'maker/m:free=fake-small'] })];
    for (const model of ['m', 'maker/m:free']) relay.directory.prices.set(model, chatPrice(model));
    client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: relay.url } });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  it('gets an answer, and pays for it as the upstream reported', async () => {
    upstream.when({}, { prompt: 20, cached: 5 });
    const answer = await client.models.generateContent(ASKED);
    expect(answer.text).to.equal(fakeText(16));
    expect(answer.candidates?.[0]?.finishReason).to.equal('STOP');
    expect(answer.modelVersion).to.equal('m');
    expect(answer.usageMetadata).to.deep.equal({
      promptTokenCount: 20,
      cachedContentTokenCount: 5,
      candidatesTokenCount: 16,
      totalTokenCount: 36,
    });
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([{ input: 15, cachedInput: 5, output: 16 }]);
  });

  it('streams an answer, whose usage comes at its end', async () => {
    upstream.when({}, { prompt: 20, chunk: 4 });
    let text = '';
    let pieces = 0;
    let total: number | undefined;
    for await (const piece of await client.models.generateContentStream({ ...ASKED, model: 'maker/m:free' })) {
      pieces++;
      text += piece.text ?? '';
      total = piece.usageMetadata?.totalTokenCount ?? total;
    }
    expect(text).to.equal(fakeText(16));
    expect(pieces).to.be.greaterThan(3);
    expect(total).to.equal(36);
  });

  it('is found however its address is written', async () => {
    const ask = async (address: string): Promise<readonly unknown[]> => {
      const response = await fetch(`${relay.url}${address}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-goog-api-key': KEY },
        body: JSON.stringify({ contents: [{ parts: [{ text: 'Hi' }] }] }),
      });
      const said = (await response.json()) as { readonly modelVersion?: string };
      return [response.status, said.modelVersion];
    };
    for (const [model, ways] of [
      ['m', ['m:generateContent', 'm:generateContent?alt=json', 'm%3AgenerateContent', '%6D:generateContent']],
      ['maker/m:free', ['maker/m:free:generateContent', 'maker%2Fm%3Afree:generateContent', 'maker/m%3Afree:generateContent']],
    ] as const)
      for (const way of ways) expect(await ask(`/v1beta/models/${way}`), way).to.deep.equal([200, model]);
    expect(await ask('//v1beta/models/m:generateContent')).to.deep.equal([200, 'm']);
    for (const way of ['m', 'm:', 'm:sing', 'm:generateContent/'])
      expect((await ask(`/v1beta/models/${way}`))[0], way).to.be.oneOf([404, 405]);
  });

  it('streams one array to those who ask for no events', async () => {
    const response = await fetch(`${relay.url}/v1beta/models/m:streamGenerateContent?key=${KEY}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ contents: [{ parts: [{ text: 'Hi' }] }], generation_config: { max_output_tokens: 8 } }),
    });
    expect(response.headers.get('content-type')).to.contain('application/json');
    const pieces = (await response.json()) as { candidates: { content: { parts: { text: string }[] }; finishReason?: string }[] }[];
    expect(pieces.flatMap(({ candidates }) => candidates[0]?.content.parts.map(({ text }) => text) ?? []).join('')).to.equal(fakeText(8));
    expect(pieces.at(-1)?.candidates[0]?.finishReason).to.equal('MAX_TOKENS');
  });

  it('calls functions, several at once, whole and streamed, and tells their results', async () => {
    upstream.when({}, { tools: 2 });
    const config = { tools: TOOLS, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } } };
    const whole = await client.models.generateContent({ ...ASKED, config });
    expect(whole.functionCalls).to.have.length(2);
    const streamed: unknown[] = [];
    for await (const piece of await client.models.generateContentStream({ ...ASKED, config }))
      streamed.push(...(piece.functionCalls ?? []));
    expect(streamed).to.have.length(2);
    upstream.when({}, { tools: 0 });
    const told = await client.models.generateContent({
      ...ASKED,
      config,
      contents: [
        { role: 'user', parts: [{ text: 'Look.' }] },
        whole.candidates?.[0]?.content ?? {},
        {
          role: 'user',
          parts: (whole.functionCalls ?? []).map(({ name = '' }) => ({ functionResponse: { name, response: { output: 'seen' } } })),
        },
      ],
    });
    expect(told.text).to.equal(fakeText(16));
  });

  it('counts tokens and lists models', async () => {
    const { totalTokens } = await client.models.countTokens(ASKED);
    expect(totalTokens).to.be.greaterThan(5);
    const listed: (string | undefined)[] = [];
    for await (const { name } of await client.models.list()) listed.push(name);
    expect(listed).to.deep.equal(['models/m', 'models/maker/m:free']);
    expect((await client.models.get({ model: 'm' })).name).to.equal('models/m');
  });

  it('throws what was said', async () => {
    const thrown = (promise: Promise<unknown>): Promise<ApiError> =>
      promise.then(
        () => expect.fail('was answered'),
        (error: unknown) => {
          expect(error).to.be.instanceOf(ApiError);
          return error as ApiError;
        },
      );
    const wrong = await thrown(
      new GoogleGenAI({ apiKey: 'sk-obl-wrong', httpOptions: { baseUrl: relay.url } }).models.generateContent(ASKED),
    );
    expect(wrong.status).to.equal(401);
    expect(wrong.message).to.contain('UNAUTHENTICATED').and.to.contain('invalid_api_key');
    expect((await thrown(client.models.generateContent({ ...ASKED, model: 'nope' }))).status).to.equal(404);
    const unsayable = await thrown(client.models.generateContent({ ...ASKED, config: { tools: [{ googleSearch: {} }] } }));
    expect(unsayable.status).to.equal(400);
    expect(unsayable.message).to.contain('googleSearch');
    upstream.when({}, { fail: 'status', status: 500 });
    expect((await thrown(client.models.generateContent(ASKED))).status).to.equal(502);
  });

  it('raises an error that comes in the middle of a stream', async () => {
    upstream.when({}, { fail: 'reset', after: 2, interval: 1, chunk: 4 });
    let text = '';
    const error: unknown = await (async () => {
      for await (const piece of await client.models.generateContentStream(ASKED)) text += piece.text ?? '';
    })().catch((caught: unknown) => caught);
    expect(text).not.to.equal('');
    expect(error).to.be.instanceOf(ApiError);
    await relay.idle();
    expect(relay.spending.charges).to.have.length(1);
  });
});
