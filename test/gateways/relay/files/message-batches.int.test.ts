import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'chai';
import type { EventOf, EventType } from '../../../../schemas/events/catalogue.ts';
import { NO_LIMITS, type LimitRule } from '../../../../schemas/limits.ts';
import type { TokenId } from '../../../../schemas/ids.ts';
import type { Ratio } from '../../../../schemas/price.ts';
import { channel, chatPrice, KEY } from '../relay-harness.ts';
import { startFileRelay, type FileRig } from './file-rig.ts';
import { startMessageBatchUpstream, type MessageBatchUpstream } from './message-batch-upstream.ts';

type Asked = Anthropic.Messages.BatchCreateParams.Request;

const request = (id: string, more: object = {}): Asked => ({
  custom_id: id,
  params: { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'Hello?' }], ...more },
});

const succeeded = (more: object = {}): object => ({
  type: 'succeeded',
  message: {
    ...{
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [{ type: 'text', text: 'Hi.' }],
      stop_reason: 'end_turn',
    },
    usage: { input_tokens: 20, output_tokens: 5 },
    ...more,
  },
});
const ERRORED = { type: 'errored', error: { type: 'error', error: { type: 'invalid_request_error', message: 'No.' } } };

/** 20 in at 2 dollars a million and 5 out at 8, at half the price, in nano-dollars. */
const COST = (20n * 2_000n + 5n * 8_000n) / 2n;

const BALANCE = 10_000_000_000n;

describe('message batches, by the official client of Anthropic', () => {
  let upstream: MessageBatchUpstream;
  let rig: FileRig;
  let client: Anthropic;

  const start = async (credit = Number(BALANCE), rules: readonly LimitRule[] = []): Promise<void> => {
    rig = await startFileRelay(credit, { limitPolicies: { current: { ...NO_LIMITS, rules: [...rules] } } });
    rig.relay.directory.channels = [channel(upstream.baseUrl, { provider: 'anthropic', models: ['m=claude-m'] })];
    rig.relay.directory.prices.set('m', chatPrice('m', { batchRatio: 500_000 as Ratio }));
    client = new Anthropic({ apiKey: KEY, baseURL: rig.relay.url, maxRetries: 0 });
  };
  beforeEach(async () => {
    upstream = await startMessageBatchUpstream();
    await start();
  });
  afterEach(async () => {
    await rig.relay.idle();
    await rig.close();
    await upstream.close();
  });

  const create = (...requests: Asked[]): Promise<Anthropic.Messages.MessageBatch> => client.messages.batches.create({ requests });
  const of = <T extends EventType>(type: T): readonly EventOf<T>['data'][] =>
    rig.events().flatMap((event) => (event.type === type ? [event.data as EventOf<T>['data']] : []));
  const tick = (desk = rig.desk): Promise<number> => desk.tick(new AbortController().signal);
  const failing = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      if (error instanceof Anthropic.APIError) return `${error.status} ${error.message}`;
      throw error;
    }
    throw new Error('it did not fail');
  };

  it('charges at the worst when it is handed in, and pays back what was too much, once', async () => {
    const batch = await create(request('a'), request('b'), request('c'));
    expect(batch.id)
      .to.match(/^msgbatch_/)
      .and.not.include('theirs');
    expect(batch).to.deep.include({ type: 'message_batch', processing_status: 'in_progress', results_url: null });
    const [submitted] = of('BatchSubmitted');
    expect(submitted).to.deep.include({ endpoint: '/v1/messages', inputFileId: null, requests: 3, ratio: 500_000 });
    expect(of('QuotaDebited')[0]).to.deep.include({ amount: submitted?.held, basis: 'held' });
    expect(Number(submitted?.held)).to.be.greaterThan(3 * 100 * 4_000);
    // Under the name that the model has there.
    expect([...upstream.batches.values()][0]?.asked.map(({ params }) => params['model'])).to.deep.equal(Array(3).fill('claude-m'));

    expect((await client.messages.batches.retrieve(batch.id)).processing_status).to.equal('in_progress');
    expect(await failing(client.messages.batches.delete(batch.id))).to.match(/^409/);
    upstream.finish(({ custom_id: id }) => (id === 'c' ? ERRORED : succeeded()));
    const done = await client.messages.batches.retrieve(batch.id);
    expect(done.request_counts).to.deep.include({ succeeded: 2, errored: 1 });
    expect(done.results_url).to.equal(`${rig.relay.url}/v1/messages/batches/${batch.id}/results`);
    const results: string[] = [];
    for await (const { custom_id: id, result } of await client.messages.batches.results(batch.id)) results.push(`${id} ${result.type}`);
    expect(results).to.deep.equal(['a succeeded', 'b succeeded', 'c errored']);

    await Promise.all([tick(), tick(rig.anotherDesk())]);
    for (let polls = 0; polls < 3; polls++) await client.messages.batches.retrieve(batch.id);
    await tick(rig.anotherDesk());
    expect(of('BatchMeasured')[0]).to.deep.include({ cost: 2n * COST, answered: 2, unreported: 0, usage: { input: 40, output: 10 } });
    expect(of('ChargeRefunded').map(({ amount }) => amount)).to.deep.equal([(submitted?.held ?? 0n) - 2n * COST]);
    expect([of('BatchEnded').length, of('BatchMeasured').length, of('BatchSettled').length]).to.deep.equal([1, 1, 1]);
    expect(await rig.balance()).to.equal(BALANCE - 2n * COST);
  });

  it('lists them, and deletes them once they are settled', async () => {
    const ids = [(await create(request('a'))).id, (await create(request('a'))).id, (await create(request('a'))).id];
    const page = await client.messages.batches.list({ limit: 2 });
    expect([page.data.map(({ id }) => id), page.has_more]).to.deep.equal([[ids[2], ids[1]], true]);
    const all: string[] = [];
    for await (const { id } of client.messages.batches.list({ limit: 2 })) all.push(id);
    expect(all).to.deep.equal([...ids].reverse());
    upstream.finish(() => succeeded());
    expect(await client.messages.batches.delete(ids[0] ?? '')).to.deep.equal({ id: ids[0], type: 'message_batch_deleted' });
    expect(await failing(client.messages.batches.retrieve(ids[0] ?? ''))).to.match(/^404/);
    expect((await client.messages.batches.list()).data.map(({ id }) => id)).to.deep.equal([ids[2], ids[1]]);
    expect(upstream.batches.size).to.equal(2);
    // It was measured before it went.
    expect(of('BatchMeasured').map(({ cost }) => cost)).to.deep.equal([COST]);
  });

  it('charges what was answered of a batch that was called off, or that ran out of time', async () => {
    const batch = await create(request('a'), request('b'));
    expect((await client.messages.batches.cancel(batch.id)).processing_status).to.equal('canceling');
    upstream.finish(({ custom_id: id }) => (id === 'a' ? succeeded() : { type: 'canceled' }));
    await tick();
    expect(of('BatchEnded')[0]).to.include({ status: 'cancelled', succeeded: 1, failed: 1 });
    expect(await rig.balance()).to.equal(BALANCE - COST);
  });

  it('charges an answer that does not say what it used its share of the worst case', async () => {
    await create(request('a'), request('b'));
    upstream.finish(({ custom_id: id }) => succeeded(id === 'a' ? {} : { usage: undefined }));
    await tick();
    const [{ held = 0n } = {}] = of('BatchSubmitted');
    expect(of('BatchMeasured')[0]).to.deep.include({ unreported: 1, cost: COST + (held + 1n) / 2n });
  });

  it('pays everything back where the upstream takes none', async () => {
    upstream.refuseWith = { status: 400, body: { type: 'error', error: { type: 'invalid_request_error', message: 'Too many batches.' } } };
    expect(await failing(create(request('a')))).to.match(/^400.*Too many batches/);
    upstream.refuseWith = { status: 529, body: {} };
    expect(await failing(create(request('a')))).to.match(/^502/);
    expect(of('BatchSettled').map(({ refunded }) => refunded > 0n)).to.deep.equal([true, true]);
    expect(await rig.balance()).to.equal(BALANCE);
  });

  it('refuses what it could not charge, with its place, and asks nothing of the upstream', async () => {
    const cases: readonly (readonly [readonly Asked[], RegExp])[] = [
      [[request('a'), request('b', { model: 'other' })], /requests\.1.*one model/],
      [[request('a', { stream: true })], /requests\.0.*streamed/],
      [[request('a'), request('a')], /custom_id/],
      [[request('a', { speed: 'fast' })], /requests\.0.*price/],
      [[request('a', { model: 'unknown' })], /unknown/],
      [[], /requests/],
    ];
    for (const [requests, words] of cases) expect(await failing(create(...requests)), String(words)).to.match(words);
    expect(upstream.calls).to.have.length(0);
    expect(of('QuotaReserved')).to.have.length(0);
  });

  it('refuses what is nested deeper than anything means', async () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000);
    const body = `{"requests":[{"custom_id":"a","params":{"model":"m","max_tokens":16,"messages":[],"metadata":${deep}}}]}`;
    const headers = { 'content-type': 'application/json', 'x-api-key': KEY, 'anthropic-version': '2023-06-01' };
    const response = await fetch(`${rig.relay.url}/v1/messages/batches`, { method: 'POST', headers, body });
    expect([response.status, await response.text()].join(' ')).to.match(/^400 .*nested deeper/);
  });

  it('takes none that the balance does not cover', async () => {
    await rig.close();
    await start(100_000);
    expect(await failing(create(request('a')))).to.match(/^(402|429)/);
    expect(upstream.calls).to.have.length(0);
  });

  it('hands a batch in once for one Idempotency-Key', async () => {
    const named = (...requests: Asked[]): Promise<Anthropic.Messages.MessageBatch> =>
      client.messages.batches.create({ requests }, { headers: { 'idempotency-key': 'once' } });
    const first = await named(request('a'));
    expect((await named(request('a'))).id).to.equal(first.id);
    expect([upstream.batches.size, of('QuotaDebited').length]).to.deep.equal([1, 1]);
    expect(await failing(named(request('b')))).to.match(/^409/);
  });

  it('shows nobody what another key made, nor in the other form', async () => {
    const batch = await create(request('a'));
    const asOpenai = await rig.relay.post(`/v1/batches/${batch.id.slice('msg'.length)}`, undefined, { method: 'GET', body: null });
    expect(asOpenai.status).to.equal(404);
    const { directory } = rig.relay;
    directory.token = { ...directory.token, tokenId: 'key_2' as TokenId };
    for (const asked of [
      () => client.messages.batches.retrieve(batch.id),
      () => client.messages.batches.cancel(batch.id),
      () => client.messages.batches.delete(batch.id),
      () => client.messages.batches.retrieve([...upstream.batches.keys()][0] ?? ''),
    ])
      expect(await failing(asked())).to.match(/^404/);
    expect((await client.messages.batches.list()).data).to.deep.equal([]);
  });

  describe('under limits', () => {
    const rule = (more: Partial<LimitRule>): LimitRule =>
      ({
        id: 'r',
        name: 'R',
        per: ['key'],
        scope: {},
        measure: 'requests',
        amount: 5,
        window: 'day',
        algorithm: 'slidingWindow',
        action: { kind: 'refuse' },
        enabled: true,
        ...more,
      }) as LimitRule;

    it('counts for as many requests as it has', async () => {
      await rig.close();
      await start(undefined, [rule({})]);
      await create(request('a'), request('b'), request('c'));
      expect(await failing(create(request('a'), request('b'), request('c')))).to.match(/^429/);
      await create(request('a'), request('b'));
      expect(upstream.batches.size).to.equal(2);
      expect(of('QuotaReserved')).to.have.length(2);
    });

    it('counts for the tokens that it is reckoned to use, and for none where it is not taken', async () => {
      await rig.close();
      await start(undefined, [rule({ measure: 'outputTokens', amount: 250 })]);
      upstream.refuseWith = { status: 400, body: {} };
      expect(await failing(create(request('a'), request('b')))).to.match(/^400/);
      upstream.refuseWith = null;
      await create(request('a'), request('b'));
      expect(await failing(create(request('a')))).to.match(/^429/);
    });
  });
});
