import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'chai';
import OpenAI from 'openai';
import type { LimitCounters } from '../../../gateways/ports/limit-counters.ts';
import type { LimitPolicy } from '../../../schemas/limits.ts';
import { LimitRule } from '../../../schemas/limits.ts';
import type { FakeScript } from '../../support/fake-upstream/script.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, KEY, startRelay, TOKEN_ID, USER_ID, type HarnessOptions, type RelayHarness } from './relay-harness.ts';

const rule = (more: object): LimitRule =>
  LimitRule.parse({ id: 'rule', name: 'The rule', per: ['key'], measure: 'requests', amount: 2, window: 'hour', ...more });

interface ErrorAnswer {
  readonly error: { readonly message: string; readonly code: string };
}

describe('limits that operators set', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;
  let policies: { current: LimitPolicy };
  /** Moves on when a test says so. */
  let now: number;

  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  const start = async (options: HarnessOptions = {}): Promise<void> => {
    relay = await startRelay({ limitPolicies: policies, clock: { now: () => now }, ...options });
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['m', 'cheap'] })];
    for (const model of ['m', 'cheap']) relay.directory.prices.set(model, chatPrice(model));
  };
  beforeEach(async () => {
    upstream.reset();
    now = Date.UTC(2026, 4, 5, 10, 0, 0);
    policies = { current: { rules: [], whenStoreAway: 'perProcess' } };
    await start();
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const set = (...rules: LimitRule[]): void => {
    policies.current = { rules, whenStoreAway: policies.current.whenStoreAway };
  };
  const ask = (script: FakeScript | null = null, more: object = {}): Promise<Response> => {
    if (script !== null) upstream.when({ times: 1 }, script);
    return relay.post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'hello' }], ...more });
  };
  const statuses = async (times: number): Promise<number[]> => {
    const all: number[] = [];
    for (let i = 0; i < times; i++) {
      const response = await ask();
      await response.text();
      all.push(response.status);
    }
    return all;
  };

  it('let so many requests in and refuse the next, which says when to come again and costs nothing', async () => {
    set(rule({}));
    expect(await statuses(2)).to.deep.equal([200, 200]);
    const refused = await ask();
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 7_200);
    expect(refused.headers.get('x-ratelimit-remaining-requests')).to.equal('0');
    const { error } = (await refused.json()) as ErrorAnswer;
    expect(error).to.include({ code: 'rate_limited', message: 'The limit of 2 requests a hour (The rule) is reached.' });
    expect(relay.spending.charges).to.have.length(2);
    now += 2 * 3_600_000;
    expect((await ask()).status).to.equal(200);
  });

  it('say how near the caller is, in the headers that each kind of client reads', async () => {
    set(rule({ amount: 10 }), rule({ id: 'tokens', measure: 'tokens', amount: 100_000, window: 'minute' }));
    const openai = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
    const asked = await openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }).withResponse();
    const header = (name: string): string | null => asked.response.headers.get(name);
    expect(header('x-ratelimit-limit-requests')).to.equal('10');
    expect(header('x-ratelimit-remaining-requests')).to.equal('9');
    expect(header('x-ratelimit-reset-requests')).to.equal('2h0m0s');
    expect(header('x-ratelimit-limit-tokens')).to.equal('100000');
    expect(Number(header('x-ratelimit-remaining-tokens'))).to.be.within(99_000, 99_999);

    const anthropic = new Anthropic({ apiKey: KEY, baseURL: relay.url, maxRetries: 0 });
    const { response } = await anthropic.messages
      .create({ model: 'm', max_tokens: 20, messages: [{ role: 'user', content: 'hi' }] })
      .withResponse();
    expect(response.headers.get('anthropic-ratelimit-requests-limit')).to.equal('10');
    expect(response.headers.get('anthropic-ratelimit-requests-remaining')).to.equal('8');
    expect(Date.parse(response.headers.get('anthropic-ratelimit-requests-reset') ?? '')).to.equal(now + 7_200_000);
    expect(response.headers.get('anthropic-ratelimit-tokens-limit')).to.equal('100000');
    expect(response.headers.get('x-ratelimit-limit-requests')).to.equal(null);
  });

  it('make official clients wait and come again', async () => {
    set(rule({ amount: 1, window: 'second' }));
    const openai = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 3 });
    await openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'one' }] });
    const second = openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'two' }] });
    const clock = setInterval(() => (now += 200), 20);
    try {
      expect((await second).choices).to.have.length(1);
    } finally {
      clearInterval(clock);
    }
  });

  it('count the tokens that a call used, not those that it was reckoned to', async () => {
    set(rule({ measure: 'outputTokens', amount: 1_000 }));
    for (let i = 0; i < 5; i++) expect((await ask({ tokens: 100 })).status, `call ${i + 1}`).to.equal(200);
    const response = await ask({ tokens: 100 });
    // 500 are used, and an answer is reckoned to take 512: it is not let in, though fewer would have been used.
    expect(response.status).to.equal(429);
    expect(Number(response.headers.get('x-ratelimit-remaining-output-tokens'))).to.equal(500);
  });

  it('count the dollars that were charged', async () => {
    set(rule({ measure: 'money', amount: '10000000', window: 'day' }));
    const statusesOf = await statuses(3);
    expect(statusesOf).to.deep.equal([200, 200, 200]);
    const charged = relay.spending.charges.reduce((sum, { computed }) => sum + computed, 0n);
    expect(charged > 0n).to.equal(true);
    set(rule({ measure: 'money', amount: String(charged + 1_000n), window: 'day' }));
    const refused = await ask();
    expect(refused.status).to.equal(429);
    expect(((await refused.json()) as ErrorAnswer).error.message).to.match(/dollars/);
  });

  it('give back what a failed call was reckoned to use, but not that it was a request', async () => {
    set(rule({ id: 'tokens', measure: 'tokens', amount: 2_000 }), rule({ id: 'requests', amount: 100 }));
    await (await ask({ fail: 'status', status: 400 })).text();
    const response = await ask();
    expect(response.headers.get('x-ratelimit-remaining-requests')).to.equal('98');
    expect(Number(response.headers.get('x-ratelimit-remaining-tokens'))).to.be.above(1_400);
  });

  it('hold calls at once to their number', async () => {
    set(rule({ measure: 'inFlight', amount: 2, window: undefined }));
    const leaving = new AbortController();
    upstream.when({}, { fail: 'silence', after: 1 });
    const running = await Promise.all(
      [1, 2].map(() =>
        relay.post(
          '/v1/chat/completions',
          { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] },
          { signal: leaving.signal },
        ),
      ),
    );
    expect(running.map(({ status }) => status)).to.deep.equal([200, 200]);
    upstream.reset();
    const third = await ask();
    expect(third.status).to.equal(429);
    expect(((await third.json()) as ErrorAnswer).error.code).to.equal('too_many_in_flight');
    leaving.abort();
    await relay.idle();
    expect((await ask()).status).to.equal(200);
  });

  it('let a call wait its turn, only so many and only for so long', async () => {
    set(rule({ amount: 1, window: 'second', action: { kind: 'wait', mostWaiting: 1, longestMs: 5_000 } }));
    expect((await ask()).status).to.equal(200);
    const waiting = ask();
    while (relay.inFlight.size === 0) await new Promise((resolve) => setImmediate(resolve));
    const second = await ask();
    expect(second.status, 'there is one who waits already').to.equal(429);
    now += 2_000;
    expect((await waiting).status).to.equal(200);
    set(rule({ amount: 1, window: 'hour', action: { kind: 'wait', mostWaiting: 9, longestMs: 5_000 } }));
    await ask();
    expect((await ask()).status, 'nobody waits for an hour').to.equal(429);
  });

  it('send calls to another model, which is what they are charged for and what they say they are', async () => {
    set(rule({ id: 'dear', scope: { models: ['m*'] }, amount: 1, action: { kind: 'model', model: 'cheap' } }));
    const first = (await (await ask()).json()) as { readonly model: string };
    expect(first.model).to.equal('m');
    const second = (await (await ask()).json()) as { readonly model: string };
    expect(second.model).to.equal('cheap');
    expect(upstream.calls.map(({ model }) => model)).to.deep.equal(['m', 'cheap']);
    expect(relay.lines.at(-1)?.model).to.equal('cheap');
    set(
      rule({ id: 'dear', scope: { models: ['m'] }, amount: 1, action: { kind: 'model', model: 'cheap' } }),
      rule({ id: 'also', scope: { models: ['cheap'] }, amount: 1, action: { kind: 'model', model: 'm' } }),
    );
    await ask();
    expect((await ask()).status, 'a circle of models').to.equal(429);
  });

  it('say what the operator says', async () => {
    set(rule({ amount: 1, action: { kind: 'refuse', message: 'Come to the front desk.' } }));
    await ask();
    expect(((await (await ask()).json()) as ErrorAnswer).error.message).to.equal('Come to the front desk.');
  });

  it('are for those whom they name', async () => {
    const others: readonly object[] = [
      { scope: { users: ['usr_other'] } },
      { scope: { keys: ['key_other'] } },
      { scope: { groups: ['staff'] } },
      { scope: { models: ['gpt-*'] } },
      { scope: { addresses: ['203.0.113.0/24'] } },
      { enabled: false },
    ];
    for (const other of others) {
      set(rule({ amount: 1, ...other }));
      expect(await statuses(3), JSON.stringify(other)).to.deep.equal([200, 200, 200]);
    }
    set(
      rule({
        amount: 1,
        per: ['user', 'ip', 'model'],
        scope: { users: [USER_ID], keys: [TOKEN_ID], groups: ['default'], models: ['*'], addresses: ['127.0.0.0/8'] },
      }),
    );
    expect(await statuses(2)).to.deep.equal([200, 429]);
  });

  it('count in each process, or refuse, while what processes count in together is away', async () => {
    const away: LimitCounters = { take: () => Promise.resolve(undefined), settle: () => undefined, leave: () => undefined };
    await relay.close();
    await start({ limitCounters: away });
    set(rule({ amount: 1 }));
    expect(await statuses(2)).to.deep.equal([200, 429]);
    policies.current = { rules: [rule({ amount: 100 })], whenStoreAway: 'refuse' };
    const refused = await ask();
    expect(refused.status).to.equal(429);
    expect(((await refused.json()) as ErrorAnswer).error.message).to.match(/cannot be looked up/);
    policies.current = { rules: [], whenStoreAway: 'refuse' };
    expect((await ask()).status, 'where there is no rule nothing is looked up').to.equal(200);
  });
});
