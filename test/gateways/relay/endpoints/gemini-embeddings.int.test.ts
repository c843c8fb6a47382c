import { GoogleGenAI } from '@google/genai';
import { expect } from 'chai';
import { startFakeUpstream, type FakeUpstream } from '../../../support/fake-upstream/server.ts';
import { channel, KEY, startRelay, type RelayHarness } from '../relay-harness.ts';
import { priceOfKind } from './priced-models.ts';

describe('Gemini’s embeddings, before an upstream that speaks OpenAI’s format', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;

  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay();
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['e=fake-embed'] })];
    relay.directory.prices.set('e', { ...priceOfKind('embedding'), model: 'e' });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const post = async (method: string, body: object): Promise<{ readonly status: number; readonly answer: Record<string, unknown> }> => {
    const response = await relay.post(`/v1beta/models/e:${method}`, body);
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  };
  const vectorsFor = async (input: readonly string[]): Promise<readonly (readonly number[])[]> => {
    const response = await relay.post('/v1/embeddings', { model: 'e', input, encoding_format: 'float' });
    return ((await response.json()) as { data: { embedding: number[] }[] }).data.map(({ embedding }) => embedding);
  };

  it('are what the official client reads, in the order asked', async () => {
    const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: relay.url } });
    const { embeddings } = await client.models.embedContent({ model: 'e', contents: ['one', 'two'] });
    expect(embeddings?.map(({ values }) => values)).to.deep.equal(await vectorsFor(['one', 'two']));
    expect(relay.spending.charges[0]).to.include({ basis: 'reported' });
    expect(relay.spending.charges[0]?.call).to.include({ endpoint: 'embeddings', dialect: 'gemini' });
  });

  it('are one vector for one content, of the size asked for', async () => {
    const { answer } = await post('embedContent', {
      content: { parts: [{ text: 'one' }, { text: 'two' }] },
      output_dimensionality: 8,
      taskType: 'RETRIEVAL_QUERY',
    });
    expect(answer).to.have.nested.property('embedding.values').with.length(8);
    expect(answer).to.have.property('usageMetadata');
    const sent = JSON.parse(upstream.calls[0]?.body.toString() ?? '') as Record<string, unknown>;
    expect(sent).to.deep.equal({ model: 'fake-embed', input: ['one\ntwo'], encoding_format: 'float', dimensions: 8 });
  });

  it('are refused, with the place, where OpenAI’s format cannot say them', async () => {
    const image = { inlineData: { mimeType: 'image/png', data: 'AA==' } };
    const text = { parts: [{ text: 'x' }] };
    for (const [method, body, place] of [
      ['embedContent', { content: { parts: [image] } }, 'content.parts.0'],
      ['batchEmbedContents', { requests: [{ content: text }, { model: 'models/other', content: text }] }, 'requests.1.model'],
      [
        'batchEmbedContents',
        { requests: [{ content: text }, { content: text, outputDimensionality: 8 }] },
        'requests.1.outputDimensionality',
      ],
      ['batchEmbedContents', { requests: [] }, 'requests'],
      ['embedContent', {}, 'content'],
    ] as const) {
      const { status, answer } = await post(method, body);
      expect([status, JSON.stringify(answer)], place).to.satisfy(([code, said]: [number, string]) => code === 400 && said.includes(place));
    }
    expect(relay.spending.reservations).to.have.length(0);
  });
});
