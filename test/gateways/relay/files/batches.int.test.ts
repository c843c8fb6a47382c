import { expect } from 'chai';
import OpenAI, { toFile } from 'openai';
import type { EventOf, EventType } from '../../../../schemas/events/catalogue.ts';
import type { TokenId } from '../../../../schemas/ids.ts';
import type { Ratio } from '../../../../schemas/price.ts';
import { channel, chatPrice, KEY } from '../relay-harness.ts';
import { startBatchUpstream, type BatchUpstream } from './batch-upstream.ts';
import { startFileRelay, type FileRig } from './file-rig.ts';

const line = (id: string, more: object = {}, url = '/v1/chat/completions'): string =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url,
    body: { model: 'm', messages: [{ role: 'user', content: 'Hello?' }], max_tokens: 100, ...more },
  });

const ANSWER = { id: 'c', model: 'm-2026', choices: [], usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 } };
/** 20 in at 2 dollars a million and 5 out at 8, at half the price, in nano-dollars. */
const COST = (20n * 2_000n + 5n * 8_000n) / 2n;

describe('files and batches, by the official client of OpenAI', () => {
  let upstream: BatchUpstream;
  let rig: FileRig;
  let client: OpenAI;

  before(async () => {
    upstream = await startBatchUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    rig = await startFileRelay();
    rig.relay.directory.channels = [channel(upstream.baseUrl, { keys: ['sk-upstream-1'] })];
    rig.relay.directory.prices.set('m', chatPrice('m', { batchRatio: 500_000 as Ratio }));
    client = new OpenAI({ apiKey: KEY, baseURL: rig.relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await rig.relay.idle();
    await rig.close();
  });

  const upload = async (...lines: readonly string[]): Promise<string> =>
    (await client.files.create({ file: await toFile(Buffer.from(lines.join('\n')), 'requests.jsonl'), purpose: 'batch' })).id;
  const create = (id: string): Promise<OpenAI.Batch> =>
    client.batches.create({ input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { a: 'b' } });
  const of = <T extends EventType>(type: T): readonly EventOf<T>['data'][] =>
    rig.events().flatMap((event) => (event.type === type ? [event.data as EventOf<T>['data']] : []));
  const settled = async (id: string): Promise<void> => {
    const batch = await rig.desk.ownBatch(rig.relay.directory.token.tokenId, id);
    if (!('refused' in batch)) await rig.desk.settle(batch);
  };
  const failing = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      if (error instanceof OpenAI.APIError) return `${error.status} ${error.code ?? ''} ${error.message}`;
      throw error;
    }
    throw new Error('it did not fail');
  };

  it('keeps files under ids of its own, at the channel and the key that took them', async () => {
    const id = await upload(line('1'));
    expect(id)
      .to.match(/^file-/)
      .and.not.include('theirs');
    const file = await client.files.retrieve(id);
    expect(file).to.include({ id, filename: 'requests.jsonl', purpose: 'batch', object: 'file' });
    expect((await client.files.list()).data.map((each) => each.id)).to.deep.equal([id]);
    expect((await client.files.list({ purpose: 'vision' })).data).to.deep.equal([]);
    expect(await (await client.files.content(id)).text()).to.equal(line('1'));
    expect(await client.files.delete(id)).to.deep.include({ id, deleted: true });
    expect(await failing(client.files.retrieve(id))).to.match(/^404/);
    expect((await client.files.list()).data).to.deep.equal([]);
    expect(upstream.files.size).to.equal(0);
    expect(new Set(upstream.calls.map(({ authorization }) => authorization))).to.deep.equal(new Set(['Bearer sk-upstream-1']));
    expect(of('QuotaReserved')).to.have.length(0);
  });

  it('lists files page by page', async () => {
    const ids = [await upload(line('1')), await upload(line('2')), await upload(line('3'))];
    const first = await client.files.list({ limit: 2 });
    expect([first.data.map(({ id }) => id), first.has_more]).to.deep.equal([[ids[2], ids[1]], true]);
    const all: string[] = [];
    for await (const { id } of client.files.list({ limit: 2, order: 'asc' })) all.push(id);
    expect(all).to.deep.equal(ids);
  });

  it('charges a batch at its worst when it is handed in, and pays back what was too much, once', async () => {
    const id = await upload(line('1'), line('2'), line('3'));
    const batch = await create(id);
    expect(batch).to.deep.include({ input_file_id: id, status: 'validating', metadata: { a: 'b' } });
    expect(batch.id)
      .to.match(/^batch_/)
      .and.not.include('theirs');
    const [debit] = of('QuotaDebited');
    const [submitted] = of('BatchSubmitted');
    expect(debit).to.deep.include({ amount: submitted?.held, basis: 'held' });
    expect(submitted).to.include({ requests: 3, ratio: 500_000 });
    // 100 tokens of output each, and at least one of the prompt, at half the price.
    expect(Number(submitted?.held)).to.be.greaterThan(3 * 100 * 4_000);

    expect((await client.batches.retrieve(batch.id)).status).to.equal('validating');
    upstream.finish(({ custom_id: custom }) => (custom === '3' ? null : ANSWER));
    const done = await client.batches.retrieve(batch.id);
    expect(done).to.deep.include({ id: batch.id, status: 'completed', request_counts: { total: 3, completed: 2, failed: 1 } });
    const [output, error] = [done.output_file_id ?? '', done.error_file_id ?? ''];
    expect(JSON.stringify(done)).to.not.include('theirs');
    expect(await (await client.files.content(output)).text()).to.include('"custom_id":"1"');
    expect(await (await client.files.content(error)).text()).to.include('"custom_id":"3"');

    await Promise.all([
      settled(batch.id),
      rig.desk.tick(new AbortController().signal),
      rig.anotherDesk().tick(new AbortController().signal),
    ]);
    for (let polls = 0; polls < 5; polls++) await client.batches.retrieve(batch.id);
    await rig.anotherDesk().tick(new AbortController().signal);
    const [measured] = of('BatchMeasured');
    expect(measured).to.deep.include({ cost: 2n * COST, answered: 2, unreported: 0, usage: { input: 40, output: 10 } });
    expect(of('ChargeRefunded').map(({ amount }) => amount)).to.deep.equal([(submitted?.held ?? 0n) - 2n * COST]);
    expect([of('BatchEnded').length, of('BatchMeasured').length, of('BatchSettled').length]).to.deep.equal([1, 1, 1]);
    expect(of('QuotaDebited')).to.have.length(1);
    expect(await rig.balance()).to.equal(10_000_000_000n - 2n * COST);
    expect((await client.files.list()).data.map((each) => each.id).sort()).to.deep.equal([id, output, error].sort());
    expect((await client.batches.list()).data.map((each) => [each.id, each.status])).to.deep.equal([[batch.id, 'completed']]);
    expect(await client.files.delete(output)).to.include({ deleted: true });
  });

  it('goes on where a process died: between the charge and the upstream, before and behind the refund', async () => {
    const batch = await create(await upload(line('1')));
    upstream.finish(() => ANSWER);
    // Whoever refunded died before it could say so.
    rig.ledger.log.loseNextAnswer(true);
    await rig.anotherDesk().tick(new AbortController().signal);
    await rig.anotherDesk().tick(new AbortController().signal);
    await rig.anotherDesk().tick(new AbortController().signal);
    expect([of('ChargeRefunded').length, of('BatchSettled').length]).to.deep.equal([1, 1]);
    expect(await client.batches.retrieve(batch.id)).to.include({ status: 'completed' });

    // Charged, and nobody was ever heard to have taken it.
    const [first] = of('BatchSubmitted');
    const lost = { ...first, batchId: rig.desk.nextBatchId('key_x' as TokenId, 'lost') } as EventOf<'BatchSubmitted'>['data'];
    await rig.desk.record(lost, { kind: 'submit', submission: { ...lost, requestId: 'req_never' as typeof lost.requestId } });
    await rig.desk.tick(new AbortController().signal);
    expect(of('BatchEnded')).to.have.length(1);
    rig.clock.now += 3_600_000;
    await rig.desk.tick(new AbortController().signal);
    expect(of('BatchEnded').at(-1)).to.include({ batchId: lost.batchId, status: 'failed' });
    expect(of('BatchSettled').at(-1)).to.include({ batchId: lost.batchId, refunded: 0n });
    expect(await rig.balance()).to.equal(10_000_000_000n - COST);
  });

  it('charges what was answered of a batch that was called off', async () => {
    const batch = await create(await upload(line('1'), line('2')));
    expect(await client.batches.cancel(batch.id)).to.include({ id: batch.id, status: 'cancelling' });
    upstream.finish(({ custom_id: custom }) => (custom === '1' ? ANSWER : null), 'cancelled');
    await rig.desk.tick(new AbortController().signal);
    expect(of('BatchSettled')).to.have.length(1);
    expect(await rig.balance()).to.equal(10_000_000_000n - COST);
  });

  it('charges an answer that does not say what it used its share of the worst case', async () => {
    await create(await upload(line('1'), line('2')));
    upstream.finish(({ custom_id: custom }) => (custom === '1' ? ANSWER : { choices: [] }));
    await rig.desk.tick(new AbortController().signal);
    const [{ held = 0n } = {}] = of('BatchSubmitted');
    expect(of('BatchMeasured')[0]).to.deep.include({ unreported: 1, cost: COST + (held + 1n) / 2n });
  });

  it('pays everything back where the upstream takes no batch, in its own words', async () => {
    const id = await upload(line('1'));
    upstream.refuseWith = {
      status: 400,
      body: {
        error: { message: `No room for ${[...upstream.files.keys()].join()}`, type: 'invalid_request_error', param: null, code: 'full' },
      },
    };
    expect(await failing(create(id)))
      .to.include(`400 full`)
      .and.include(id)
      .and.not.include('theirs');
    upstream.refuseWith = { status: 503, body: {} };
    expect(await failing(create(id))).to.match(/^502/);
    expect(of('BatchSettled').map(({ refunded }) => refunded > 0n)).to.deep.equal([true, true]);
    expect(await rig.balance()).to.equal(10_000_000_000n);
  });

  it('refuses what it could not charge, with the line, and asks its upstream for nothing', async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[line('1'), line('2', { model: 'other' })], /Line 2.*one model/],
      [[line('1'), line('2', {}, '/v1/embeddings')], /Line 2.*url/],
      [[line('1'), '{"custom_id":'], /Line 2/],
      [[line('1', { stream: true })], /Line 1.*streamed/],
      [[line('1', { model: 'unknown' })], /model_not_found/],
      [['{"method":"POST","url":"/v1/chat/completions","body":{"model":"m","model":"x","messages":[]}}'], /Line 1.*twice/],
      [[], /no requests/],
    ];
    for (const [lines, words] of cases) expect(await failing(upload(...lines).then(create)), String(words)).to.match(words);
    expect(upstream.batches.size).to.equal(0);
    expect(of('QuotaReserved')).to.have.length(0);
    expect(await failing(create('file-unknown'))).to.match(/^404/);
  });

  it('takes batches of embeddings and of the Responses API', async () => {
    const batchOf = async (endpoint: '/v1/embeddings' | '/v1/responses', body: object): Promise<OpenAI.Batch> => {
      const id = await upload(JSON.stringify({ custom_id: '1', method: 'POST', url: endpoint, body }));
      return client.batches.create({ input_file_id: id, endpoint, completion_window: '24h' });
    };
    rig.relay.directory.channels = [channel(upstream.baseUrl, { models: ['m', 'e'] })];
    rig.relay.directory.prices.set('e', { ...chatPrice('e'), kind: 'embedding', batchRatio: 500_000 as Ratio });
    expect(await batchOf('/v1/embeddings', { model: 'e', input: 'Hello?' })).to.include({ endpoint: '/v1/embeddings' });
    const asked = { model: 'm', input: 'Hello?', max_output_tokens: 100 };
    expect(await batchOf('/v1/responses', asked)).to.include({ endpoint: '/v1/responses' });
    upstream.finish(({ url }) =>
      url === '/v1/embeddings'
        ? { object: 'list', data: [], usage: { prompt_tokens: 20, total_tokens: 20 } }
        : {
            ...{ id: 'resp_1', object: 'response', status: 'completed', output: [] },
            usage: { input_tokens: 20, output_tokens: 5, total_tokens: 25, output_tokens_details: { reasoning_tokens: 2 } },
          },
    );
    await rig.desk.tick(new AbortController().signal);
    expect(of('BatchMeasured').map(({ usage, unreported }) => [usage, unreported])).to.deep.equal([
      [{ input: 20 }, 0],
      [{ input: 20, output: 3, reasoning: 2 }, 0],
    ]);
    expect(await rig.balance()).to.equal(10_000_000_000n - COST - (20n * 2_000n) / 2n);
    for (const more of [
      { previous_response_id: 'resp_theirs' },
      { background: true },
      { stream: true },
      { tools: [{ type: 'web_search' }] },
      { input: [{ type: 'item_reference', id: 'msg_1' }] },
    ])
      expect(await failing(batchOf('/v1/responses', { ...asked, ...more })), JSON.stringify(more)).to.match(/Line 1/);
  });

  it('takes no batch that the balance does not cover', async () => {
    await rig.close();
    rig = await startFileRelay(100_000);
    rig.relay.directory.channels = [channel(upstream.baseUrl)];
    rig.relay.directory.prices.set('m', chatPrice('m'));
    client = new OpenAI({ apiKey: KEY, baseURL: rig.relay.baseUrl, maxRetries: 0 });
    expect(await failing(upload(line('1')).then(create))).to.include('429 insufficient_quota');
    expect(upstream.batches.size).to.equal(0);
  });

  it('hands a batch in once for one Idempotency-Key', async () => {
    const id = await upload(line('1'));
    const options = { headers: { 'idempotency-key': 'once' } };
    const asked = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    const first = await client.batches.create(asked, options);
    expect((await client.batches.create(asked, options)).id).to.equal(first.id);
    expect([upstream.batches.size, of('QuotaDebited').length]).to.deep.equal([1, 1]);
    expect(await failing(client.batches.create({ ...asked, endpoint: '/v1/embeddings' }, options))).to.match(/^409/);
  });

  it('shows nobody what another key made', async () => {
    const id = await upload(line('1'));
    const batch = await create(id);
    const { directory } = rig.relay;
    const mine = directory.token;
    directory.token = { ...mine, tokenId: 'key_2' as TokenId };
    for (const asked of [
      () => client.files.retrieve(id),
      () => client.files.content(id),
      () => client.files.delete(id),
      () => client.batches.retrieve(batch.id),
      () => client.batches.cancel(batch.id),
      () => create(id),
      () => client.files.retrieve([...upstream.files.keys()][0] ?? ''),
    ])
      expect(await failing(asked())).to.match(/^404/);
    expect([(await client.files.list()).data, (await client.batches.list()).data]).to.deep.equal([[], []]);
    directory.token = mine;
    expect(await client.batches.retrieve(batch.id)).to.include({ id: batch.id });
  });
});
