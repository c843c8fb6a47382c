import { expect } from 'chai';
import type { Money } from '../../../../schemas/money.ts';
import { cohereError, startCohereMock } from '../../../support/fake-upstream/cohere-mock.ts';
import type { MockServer } from '../../../support/fake-upstream/mock-server.ts';
import { channel, startRelay, type RelayHarness } from '../relay-harness.ts';

const ASKED = { model: 'r', query: 'Where is Oslo?', documents: ['In Norway.', { text: 'In Italy.' }], top_n: 1, return_documents: true };

describe('reranking by Cohere', () => {
  let upstream: MockServer;
  let relay: RelayHarness;

  before(async () => {
    upstream = await startCohereMock();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.requests.length = 0;
    relay = await startRelay();
    relay.directory.channels = [channel(`${upstream.url}/v2`, { provider: 'cohere', models: ['r=rerank-v3.5'], keys: ['sk-cohere'] })];
    relay.directory.prices.set('r', { model: 'r', kind: 'rerank', rates: { call: 2_000_000n as Money } });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended).to.equal(0);
    await relay.close();
  });

  it('is asked with texts alone, gives them back all the same, and is charged by units of search', async () => {
    const response = await relay.post('/v1/rerank', ASKED);
    const answer = (await response.json()) as { readonly results: readonly unknown[] };
    expect(response.status, JSON.stringify(answer)).to.equal(200);
    expect(answer.results).to.have.length(1);
    expect(answer.results[0]).to.deep.include({ index: 1, relevance_score: 0.2, document: { text: 'In Italy.' } });
    expect([upstream.requests[0]?.path, upstream.requests[0]?.headers.authorization]).to.deep.equal(['/v2/rerank', 'Bearer sk-cohere']);
    expect(upstream.requests[0]?.json).to.deep.equal({
      model: 'rerank-v3.5',
      query: 'Where is Oslo?',
      documents: ['In Norway.', 'In Italy.'],
      top_n: 1,
    });
    await relay.idle();
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([{ call: 1 }]);
  });

  it('passes on what it says of a request that is wrong', async () => {
    upstream.next.push(cohereError(400, 'too many documents'));
    const response = await relay.post('/v1/rerank', ASKED);
    expect([response.status, await response.text()].join(' ')).to.match(/^400 .*too many documents/);
  });
});
