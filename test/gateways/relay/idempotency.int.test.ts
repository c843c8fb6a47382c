import { expect } from 'chai';
import { refuse } from '../../../schemas/errors.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, startRelay, TOKEN_ID, type HarnessOptions, type RelayHarness } from './relay-harness.ts';

const MESSAGES = [{ role: 'user', content: 'What is in the ledger?' }];

interface ErrorAnswer {
  readonly error: { readonly code: string };
}

const heardOf = (): { readonly heard: Promise<void>; readonly say: () => void } => {
  let say: () => void = () => undefined;
  const heard = new Promise<void>((resolve) => (say = resolve));
  return { heard, say: () => say() };
};

describe('an Idempotency-Key', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;

  const start = async (options: HarnessOptions = {}): Promise<void> => {
    relay = await startRelay(options);
    relay.directory.channels = [channel(upstream.baseUrl)];
    relay.directory.prices.set('m', chatPrice('m'));
  };
  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    await start();
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const chat = (key: string, more: object = {}): Promise<Response> =>
    relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES, ...more }, { headers: { 'idempotency-key': key } });
  const outcome = async (response: Response): Promise<string> =>
    response.status === 200 ? '200' : `${response.status} ${((await response.json()) as ErrorAnswer).error.code}`;

  it('gives the same answer again, for one charge', async () => {
    for (const stream of [false, true]) {
      const key = `k-${stream}`;
      const first = await chat(key, { stream });
      const text = await first.text();
      await relay.idle();
      const again = await chat(key, { stream });
      expect(again.status).to.equal(200);
      expect(await again.text()).to.equal(text);
      expect(again.headers.get('content-type')).to.equal(first.headers.get('content-type'));
      expect(again.headers.get('x-oblivious-cost')).to.equal(first.headers.get('x-oblivious-cost'));
      expect([first.headers.get('x-oblivious-replayed'), again.headers.get('x-oblivious-replayed')]).to.deep.equal([null, 'true']);
      expect(again.headers.get('x-request-id')).not.to.equal(first.headers.get('x-request-id'));
    }
    expect(upstream.calls).to.have.length(2);
    expect(relay.spending.charges).to.have.length(2);
    expect(relay.finished.map(({ outcome: ended }) => ended)).to.deep.equal(['answered', 'replayed', 'answered', 'replayed']);
  });

  it('lets one of a hundred at once through', async () => {
    upstream.when({}, { latency: 30 });
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await chat('k');
        return response.headers.has('x-oblivious-replayed') ? 'replayed' : outcome(response);
      }),
    );
    expect(outcomes.filter((each) => each === '200')).to.have.length(1);
    expect(outcomes.filter((each) => each !== '200' && each !== 'replayed' && each !== '409 idempotency_in_flight')).to.deep.equal([]);
    expect(upstream.calls).to.have.length(1);
    expect(relay.spending.charges).to.have.length(1);
  });

  it('is for one payload', async () => {
    await (await chat('k')).text();
    const other = await chat('k', { temperature: 1 });
    expect(await outcome(other)).to.equal('409 idempotency_conflict');
    expect(other.headers.get('x-should-retry')).to.equal('false');
    expect(await outcome(await relay.post('/v1/embeddings', { model: 'm', input: 'x' }, { headers: { 'idempotency-key': 'k' } }))).to.equal(
      '409 idempotency_conflict',
    );
  });

  it('is for one model, where the address names it as well', async () => {
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['m', 'n'] })];
    relay.directory.prices.set('n', chatPrice('n'));
    const asked = (model: string): Promise<Response> =>
      relay.post(`/openai/deployments/${model}/chat/completions`, { messages: MESSAGES }, { headers: { 'idempotency-key': 'k' } });
    const first = await (await asked('m')).text();
    await relay.idle();
    const again = await asked('m');
    expect([again.headers.get('x-oblivious-replayed'), await again.text()]).to.deep.equal(['true', first]);
    expect(await outcome(await asked('n'))).to.equal('409 idempotency_conflict');
  });

  it('is one API key’s own', async () => {
    await (await chat('k')).text();
    relay.directory.token = { ...relay.directory.token, tokenId: 'key_2' as typeof TOKEN_ID };
    expect(await outcome(await chat('k'))).to.equal('200');
    expect(upstream.calls).to.have.length(2);
  });

  it('that another process has used is refused, and the hold given back', async () => {
    relay.claims.taken.set(`${TOKEN_ID} k`, 'another payload');
    expect(await outcome(await chat('k'))).to.equal('409 idempotency_conflict');
    expect(relay.spending.releases[0]).to.deep.include({ reason: 'refused', reconcile: false });
    expect(upstream.calls).to.have.length(0);
  });

  it('may be used again when nothing was charged', async () => {
    upstream.when({ times: 1 }, { fail: 'status', status: 500 });
    expect(await outcome(await chat('k'))).to.equal('502 upstream_failed');
    expect(await outcome(await chat('k'))).to.equal('200');
    expect(relay.spending.charges).to.have.length(1);
  });

  it('of an answer that the log recorded nothing of may be used again; where the log said nothing it is spent', async () => {
    for (const [word, again] of [
      ['lease_lost', '200'],
      ['log_unavailable', '409 idempotency_spent'],
    ] as const) {
      const [charged, durable] = [heardOf(), heardOf()];
      relay.spending.durable = () => durable.heard.then(() => refuse(word));
      relay.spending.onCharge = charged.say;
      const answer = chat(word);
      await charged.heard;
      relay.spending.durable = null;
      durable.say();
      expect(await outcome(await answer)).to.equal(`503 ${word}`);
      expect(await outcome(await chat(word))).to.equal(again);
    }
    // Recorded, and charged perhaps.
    relay.spending.chargeDurable = async () => refuse('lease_lost');
    expect(await outcome(await chat('charge'))).to.equal('503 lease_lost');
    relay.spending.chargeDurable = null;
    expect(await outcome(await chat('charge'))).to.equal('409 idempotency_spent');
  });

  it('of an answer that is not kept any more, or broke off, is spent', async () => {
    await relay.close();
    await start({ limits: { kept: { bytes: 1, answerBytes: 1, answers: 10, ms: 60_000 } } });
    await (await chat('large')).text();
    expect(await outcome(await chat('large'))).to.equal('409 idempotency_spent');
    upstream.when({}, { fail: 'reset', after: 2, interval: 1 });
    await (await chat('broken', { stream: true })).text();
    await relay.idle();
    expect(await outcome(await chat('broken', { stream: true }))).to.equal('409 idempotency_spent');
  });

  it('keeps within its bounds, and never charges twice for what it let go', async () => {
    await relay.close();
    await start({ limits: { kept: { bytes: 10_000_000, answerBytes: 1_000_000, answers: 3, ms: 60_000 } } });
    for (let each = 0; each < 6; each++) await (await chat(`k${each}`)).text();
    expect(await outcome(await chat('k0'))).to.equal('409 idempotency_spent');
    expect((await chat('k5')).headers.get('x-oblivious-replayed')).to.equal('true');
    expect(relay.spending.charges).to.have.length(6);
  });

  it('has to be printable', async () => {
    expect(await outcome(await chat('a b'))).to.equal('400 invalid_request');
    expect(await outcome(await chat('x'.repeat(256)))).to.equal('400 invalid_request');
  });
});
