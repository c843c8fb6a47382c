import { expect } from 'chai';
import OpenAI from 'openai';
import type { BufferedEvent, SharedEvents } from '../../../gateways/ports/shared-events.ts';
import type { Money } from '../../../schemas/money.ts';
import { fakeText } from '../../support/fake-upstream/answer.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { memoryArchive, type MemoryArchive } from './memory-archive.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const ASKED = { model: 'm', input: 'What is in the ledger?', background: true };

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('was answered'),
    (error: unknown) => error,
  );

/** What processes share, as long as it is not flushed or away. */
class TestShared implements SharedEvents {
  readonly events = new Map<string, BufferedEvent[]>();
  isAway = false;
  async append(id: string, events: readonly BufferedEvent[]): Promise<boolean> {
    if (this.isAway) return false;
    this.events.set(id, [...(this.events.get(id) ?? []), ...events]);
    return true;
  }
  async drop(id: string): Promise<void> {
    this.events.delete(id);
  }
  async after(id: string, number: number): Promise<readonly BufferedEvent[] | 'unknown' | null> {
    if (this.isAway) return null;
    return this.events.get(id)?.filter((event) => event.number > number) ?? 'unknown';
  }
}

describe('responses that are made in the background', () => {
  let upstream: FakeUpstream;
  let kept: MemoryArchive;
  let shared: TestShared;
  /** The process that is asked first, and another one. */
  let relay: RelayHarness;
  let other: RelayHarness;
  let client: OpenAI;
  let elsewhere: OpenAI;

  const start = async (): Promise<[RelayHarness, OpenAI]> => {
    const started = await startRelay({ archive: kept.archive, sharedEvents: shared });
    started.directory.channels = [channel(upstream.baseUrl, { models: ['m=fake-small'] })];
    started.directory.prices.set('m', chatPrice('m'));
    return [started, new OpenAI({ apiKey: KEY, baseURL: started.baseUrl, maxRetries: 0 })];
  };
  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    kept = memoryArchive();
    shared = new TestShared();
    [relay, client] = await start();
    [other, elsewhere] = await start();
  });
  afterEach(async () => {
    for (const one of [relay, other]) {
      await one.idle();
      expect(one.spending.unended, 'holds that nobody ended').to.equal(0);
      await one.close();
    }
  });

  const events = async (from: OpenAI, id: string, after?: number): Promise<OpenAI.Responses.ResponseStreamEvent[]> => {
    const stream = await from.responses.retrieve(id, { stream: true, ...(after === undefined ? {} : { starting_after: after }) });
    const got: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of stream) got.push(event);
    return got;
  };
  const numbers = (got: readonly { sequence_number: number }[]): number[] => got.map(({ sequence_number: number }) => number);

  it('are queued, made, and there at the end, on any process; charged once', async () => {
    upstream.when({}, { prompt: 20, chunk: 4, interval: 5 });
    const queued = await client.responses.create(ASKED);
    expect(queued.status).to.equal('queued');
    expect((await elsewhere.responses.retrieve(queued.id)).status).to.be.oneOf(['in_progress', 'completed']);
    await relay.idle();
    const done = await elsewhere.responses.retrieve(queued.id);
    expect([done.status, done.output_text, done.background]).to.deep.equal(['completed', fakeText(16), true]);
    expect(relay.spending.charges.map(({ usage, basis }) => [usage, basis])).to.deep.equal([[{ input: 20, output: 16 }, 'reported']]);
    await client.responses.create({ model: 'm', input: 'And?', previous_response_id: queued.id });
  });

  it('are streamed to whoever comes, from wherever he was, and again', async () => {
    upstream.when({}, { chunk: 1, interval: 3, tokens: 40 });
    const { id } = await client.responses.create(ASKED);
    const [here, there] = await Promise.all([events(client, id), events(elsewhere, id)]);
    expect(numbers(here)).to.deep.equal(here.map((_, at) => at));
    expect(there).to.deep.equal(here);
    expect(here.at(-1)?.type).to.equal('response.completed');
    for (const from of [client, elsewhere])
      for (const after of [0, 7, here.length - 2])
        expect(await events(from, id, after), String(after)).to.deep.equal(here.slice(after + 1));
  });

  it('go on when their client leaves, who gets exactly the rest', async () => {
    upstream.when({}, { chunk: 1, interval: 5, tokens: 40 });
    const stream = await client.responses.create({ ...ASKED, stream: true });
    const first: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of stream) {
      first.push(event);
      if (first.length === 9) break;
    }
    const [created] = first;
    const id = created?.type === 'response.created' ? created.response.id : '';
    const rest = await events(elsewhere, id, first.at(-1)?.sequence_number);
    const all = [...first, ...rest];
    expect(numbers(all)).to.deep.equal(all.map((_, at) => at));
    await relay.idle();
    const text = all.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('');
    expect(text).to.equal((await client.responses.retrieve(id)).output_text);
    expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['reported']);
  });

  it('are cancelled, which ends the upstream’s work and charges what there was of it', async () => {
    upstream.when({}, { chunk: 1, interval: 5, tokens: 5_000 });
    const { id } = await client.responses.create({ ...ASKED, max_output_tokens: 4_000 });
    const reading = events(client, id);
    for await (const event of await client.responses.retrieve(id, { stream: true })) if (event.sequence_number > 6) break;
    expect((await client.responses.cancel(id)).status).to.equal('cancelled');
    expect((await client.responses.cancel(id)).status).to.equal('cancelled');
    await relay.idle();
    expect((await reading).at(-1)).to.include({ type: 'error', code: 'response_cancelled' });
    expect((await elsewhere.responses.retrieve(id)).status).to.equal('cancelled');
    expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated']);
    upstream.reset();
    const { id: done } = await client.responses.create(ASKED);
    await relay.idle();
    expect(await thrown(client.responses.cancel(done))).to.be.instanceOf(OpenAI.BadRequestError);
  });

  it('are gone when they are deleted meanwhile', async () => {
    upstream.when({}, { chunk: 1, interval: 5, tokens: 5_000 });
    const { id } = await client.responses.create({ ...ASKED, max_output_tokens: 4_000 });
    for await (const event of await client.responses.retrieve(id, { stream: true })) if (event.sequence_number > 6) break;
    await client.responses.delete(id);
    await relay.idle();
    expect(await thrown(elsewhere.responses.retrieve(id))).to.be.instanceOf(OpenAI.NotFoundError);
    expect(kept.keys.size()).to.equal(0);
    expect([...shared.events.keys()]).to.deep.equal([]);
    expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated']);
  });

  it('are refused at once where they cannot begin, and failed where they broke off', async () => {
    expect(await thrown(client.responses.create({ ...ASKED, model: 'nope' }))).to.be.instanceOf(OpenAI.NotFoundError);
    expect(await thrown(client.responses.create({ ...ASKED, store: false }))).to.include({ param: 'background' });
    for (const script of [
      { fail: 'status', status: 500 },
      { fail: 'status', status: 400, code: 'context_length_exceeded' },
      { fail: 'reset', after: 2, interval: 1, chunk: 4 },
    ] as const) {
      upstream.when({}, script);
      const { id } = await client.responses.create(ASKED);
      await relay.idle();
      const failed = await elsewhere.responses.retrieve(id);
      expect(failed.status).to.equal('failed');
      expect(failed.error?.message).to.be.a('string').and.not.to.equal('');
      expect((await events(elsewhere, id)).slice(-2).map(({ type }) => type)).to.deep.equal(['error', 'response.failed']);
    }
    relay.spending.balance = 0n as Money;
    expect(await thrown(client.responses.create(ASKED))).to.be.instanceOf(OpenAI.RateLimitError);
    relay.spending.balance = 1_000_000_000n as Money;
    kept.log.cut();
    expect(await thrown(client.responses.create(ASKED))).to.include({ status: 503 });
    kept.log.mend();
  });

  it('outlive what processes share: their events are lost then, with an error, and they are not', async () => {
    upstream.when({}, { chunk: 1, interval: 2, tokens: 20 });
    const { id } = await client.responses.create(ASKED);
    await relay.idle();
    shared.events.clear();
    expect(await thrown(events(elsewhere, id))).to.be.instanceOf(OpenAI.NotFoundError);
    expect((await elsewhere.responses.retrieve(id)).status).to.equal('completed');
    expect((await events(client, id)).at(-1)?.type).to.equal('response.completed');

    const { id: second } = await client.responses.create(ASKED);
    shared.isAway = true;
    const reading = events(elsewhere, second);
    await relay.idle();
    shared.isAway = false;
    const got = await reading;
    expect(numbers(got)).to.deep.equal(got.map((_, at) => at));
    expect(got.at(-1)?.type).to.equal('response.completed');

    const { id: third } = await client.responses.create(ASKED);
    await relay.idle();
    shared.events.set(third, (shared.events.get(third) ?? []).slice(10));
    expect(await thrown(events(elsewhere, third))).to.be.instanceOf(OpenAI.NotFoundError);
    expect((await events(elsewhere, third, 9)).at(-1)?.type).to.equal('response.completed');
  });
});
