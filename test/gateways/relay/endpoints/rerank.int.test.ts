import { expect } from 'chai';
import type { Money } from '../../../../schemas/money.ts';
import { channel, startRelay, type RelayHarness } from '../relay-harness.ts';
import { json, startEndpointUpstream, type EndpointUpstream } from './endpoint-upstream.ts';
import { priceOfKind } from './priced-models.ts';

interface Ranking {
  readonly id: string;
  readonly model: string;
  readonly results: readonly { readonly index: number; readonly relevance_score: number; readonly document?: unknown }[];
  readonly usage: object;
  readonly meta: object;
}

const RESULTS = [
  { index: 1, relevance_score: 0.9 },
  { index: 0, relevance_score: 0.1 },
];

describe('reranking', () => {
  let upstream: EndpointUpstream;
  let relay: RelayHarness;

  before(async () => {
    upstream = await startEndpointUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay();
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['tokens=jina-m0', 'units=rerank-v3.5'] })];
    relay.directory.prices.set('tokens', { ...priceOfKind('rerank'), model: 'tokens' });
    relay.directory.prices.set('units', { model: 'units', kind: 'rerank', rates: { input: 0n as Money, call: 2_000_000n as Money } });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const ask = async (path: string, body: object): Promise<Ranking> => {
    const response = await relay.post(path, body);
    const text = await response.text();
    expect(response.status, text).to.equal(200);
    return JSON.parse(text) as Ranking;
  };
  const charged = () => relay.spending.last.charges[0];

  it('charges tokens where the price does, and gives clients of Jina and of Cohere what each reads', async () => {
    upstream.on('/v1/rerank', json({ model: 'jina-m0', object: 'list', usage: { total_tokens: 12 }, results: RESULTS }));
    const ranking = await ask('/v1/rerank', {
      model: 'tokens',
      query: 'q',
      documents: ['a', { text: 'b' }],
      top_n: 2,
      return_documents: true,
    });
    expect(ranking).to.deep.include({ model: 'tokens', usage: { prompt_tokens: 12, total_tokens: 12 } });
    expect(ranking.results).to.deep.equal([
      { ...RESULTS[0], document: { text: 'b' } },
      { ...RESULTS[1], document: { text: 'a' } },
    ]);
    expect(charged()).to.deep.include({ usage: { input: 12 }, basis: 'reported' });
    expect(charged()?.call).to.include({ endpoint: 'rerank', dialect: 'cohere' });
    expect(JSON.parse(upstream.calls[0]?.body.toString() ?? '')).to.include({ model: 'jina-m0', return_documents: true });
  });

  it('charges units of search where the price has a rate for the call', async () => {
    upstream.on(
      '/v1/rerank',
      json({ id: 'r-1', results: RESULTS, meta: { api_version: { version: '2' }, billed_units: { search_units: 3 } } }),
    );
    const documents = Array.from({ length: 250 }, (_each, index) => `document ${index}`);
    const ranking = await ask('/v2/rerank', { model: 'units', query: 'q', documents });
    expect(ranking).to.deep.include({ id: 'r-1', meta: { api_version: { version: '2' }, billed_units: { search_units: 3 } } });
    expect(relay.spending.last.request.amount).to.equal(6_000_000n);
    expect(charged()).to.deep.include({ usage: { call: 3 }, basis: 'reported', computed: 6_000_000n });
  });

  it('is asked of Cohere’s second version in its own words', async () => {
    relay.directory.channels = [channel(upstream.baseUrl, { provider: 'cohere', models: ['units=rerank-v3.5'] })];
    upstream.on('/v1/rerank', json({ id: 'r-1', results: RESULTS, meta: { billed_units: { search_units: 1 } } }));
    const asked = { query: 'q', documents: ['a', { text: 'b' }], top_n: 2 };
    const ranking = await ask('/v1/rerank', { model: 'units', ...asked, return_documents: true });
    expect(ranking.results[0]?.document).to.deep.equal({ text: 'b' });
    expect(JSON.parse(upstream.calls[0]?.body.toString() ?? '')).to.deep.equal({ ...asked, model: 'rerank-v3.5', documents: ['a', 'b'] });
    expect(charged()).to.deep.include({ usage: { call: 1 }, basis: 'reported' });
  });

  it('counts where the upstream says nothing, and marks it', async () => {
    upstream.on('/v1/rerank', json({ data: RESULTS }));
    expect((await ask('/v1/rerank', { model: 'tokens', query: 'qq', documents: ['a', 'bbb'] })).results).to.deep.equal(RESULTS);
    expect(charged()).to.deep.include({ usage: { input: 8 }, basis: 'estimated' });
    // A document beyond five hundred tokens is billed as several.
    const long = 'word '.repeat(2_000);
    await ask('/v1/rerank', { model: 'units', query: 'q', documents: Array.from({ length: 60 }, () => long) });
    expect(charged()).to.deep.include({ usage: { call: 4 }, basis: 'estimated' });
    expect((charged()?.computed ?? 0n) <= relay.spending.last.hold.amount).to.equal(true);
  });

  it('charges the hold for units that cannot be', async () => {
    upstream.on('/v1/rerank', json({ results: RESULTS, meta: { billed_units: { search_units: -1 } } }));
    await ask('/v1/rerank', { model: 'units', query: 'q', documents: ['a'] });
    expect(charged()?.basis).to.equal('held');
  });

  it('says what is wrong where clients of each shape look', async () => {
    const mine = (await (await relay.post('/v2/rerank', { model: 'units', query: 'q', documents: [] })).json()) as { message: string };
    expect(mine.message).to.contain('documents');
    expect(mine).to.have.nested.property('error.param', 'documents');
    upstream.on('/v1/rerank', json({ message: 'too many tokens' }, 400));
    const theirs = await relay.post('/v1/rerank', { model: 'units', query: 'q', documents: ['a'] });
    expect([theirs.status, await theirs.json()]).to.deep.equal([
      400,
      {
        message: 'too many tokens',
        detail: 'too many tokens',
        error: { message: 'too many tokens', type: 'invalid_request_error', param: null, code: 'upstream_refused' },
      },
    ]);
    expect(relay.spending.last.releases).to.have.length(1);
  });
});
