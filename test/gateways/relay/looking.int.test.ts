import { connect } from 'node:net';
import { expect } from 'chai';
import type { Money } from '../../../schemas/money.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const MESSAGES = [{ role: 'user', content: 'hi' }];

interface ErrorAnswer {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string };
}

describe('the relay’s other answers', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;

  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay();
    relay.directory.channels = [channel(upstream.baseUrl)];
    relay.directory.prices.set('m', chatPrice('m'));
  });
  afterEach(() => relay.close());

  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(relay.url + path, { headers: { authorization: `Bearer ${KEY}` }, ...init });
  const json = async (path: string): Promise<Record<string, unknown>> => (await (await get(path)).json()) as Record<string, unknown>;

  it('say what a key may do and has left', async () => {
    relay.standing = {
      spent: 1_250_000_001n as Money,
      cap: 5_000_000_000n as Money,
      balance: 900_000_000n as Money,
      left: 900_000_000n as Money,
    };
    expect(await json('/v1/key')).to.deep.include({
      object: 'key',
      id: 'key_1',
      name: 'test',
      spent: '1.250000001',
      cap: '5',
      left: '0.9',
      models: null,
    });
  });

  it('are given for a key that is used up or expired, but not for one that is disabled', async () => {
    for (const changes of [{ exhausted: true }, { expiresAt: 1 }]) {
      relay.directory.token = { ...relay.directory.token, ...changes };
      expect((await get('/v1/key')).status).to.equal(200);
      expect((await get('/v1/models')).status).to.equal(200);
    }
    relay.directory.token = { ...relay.directory.token, disabled: true };
    expect((await get('/v1/key')).status).to.equal(401);
  });

  it('tell old clients their limit and their use, so that the one less the other is what is left', async () => {
    for (const prefix of ['/v1', '']) {
      const { hard_limit_usd: limit, object } = await json(`${prefix}/dashboard/billing/subscription`);
      const { total_usage: usage } = await json(`${prefix}/dashboard/billing/usage?start_date=2026-01-01&end_date=2026-02-01`);
      expect(object).to.equal('billing_subscription');
      expect((limit as number) - (usage as number) / 100).to.be.closeTo(0.75, 1e-9);
    }
  });

  it('tell old clients hundredths of a dollar without the dust of floats', async () => {
    relay.standing = { spent: 16_577_440n as Money, cap: null, balance: 0n as Money, left: 0n as Money };
    expect(await (await get('/v1/dashboard/billing/usage')).text()).to.include('"total_usage":1.657744}');
  });

  it('never show less than nothing', async () => {
    relay.standing = { spent: 10n as Money, cap: null, balance: -5n as Money, left: -5n as Money };
    expect(await json('/v1/key')).to.deep.include({ left: '0' });
  });

  it('have OpenAI’s shape and a request id, whatever is wrong', async () => {
    const wrong: readonly (readonly [string, string, number, string])[] = [
      ['GET', '/v1/nothing', 404, 'not_found'],
      ['POST', '/v1/nothing', 404, 'not_found'],
      ['GET', '/v1', 404, 'not_found'],
      ['GET', '/v1/chat/completions', 405, 'method_not_allowed'],
      ['DELETE', '/v1/models/m', 405, 'method_not_allowed'],
      ['PUT', '/v1/embeddings', 405, 'method_not_allowed'],
      ['GET', '/v1/models/%E0%A4%A', 400, 'invalid_request'],
    ];
    for (const [method, path, status, code] of wrong) {
      const response = await get(path, { method });
      const { error } = (await response.json()) as ErrorAnswer;
      expect([response.status, error.code], path).to.deep.equal([status, code]);
      expect(Object.keys(error), path).to.deep.equal(['message', 'type', 'param', 'code']);
      expect(response.headers.get('x-request-id'), path).to.match(/^req_/);
    }
    expect((await get('/v1/models', { method: 'POST' })).headers.get('allow')).to.equal('GET, OPTIONS');
  });

  it('are complete where what came is not even HTTP', async () => {
    for (const [sent, status] of [
      ['nonsense\r\n\r\n', 400],
      [`GET /v1/models HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
      ['POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n', 400],
    ] as const) {
      const text = await new Promise<string>((resolve) => {
        let seen = '';
        const socket = connect(Number(new URL(relay.url).port), '127.0.0.1', () => socket.write(sent));
        socket.on('data', (chunk) => (seen += chunk.toString()));
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(seen));
      });
      expect(text)
        .to.match(new RegExp(`^HTTP/1.1 ${status} `))
        .and.match(/x-request-id: req_/)
        .and.contain('"code":"invalid_request"');
    }
  });

  it('find a model whose address ends with a slash', async () => {
    for (const path of ['/v1/models/m/', '/v1beta/models/m/']) expect((await get(path)).status, path).to.equal(200);
    expect((await get('/v1/models/m//')).status).to.equal(404);
  });

  it('let pages in browsers in', async () => {
    const preflight = await fetch(`${relay.baseUrl}/chat/completions`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).to.equal(204);
    expect(preflight.headers.get('access-control-allow-origin')).to.equal('*');
    expect(preflight.headers.get('access-control-allow-headers')).to.contain('authorization');
    // Of the official clients, of theirs for betas and workspaces, and of whoever traces.
    const names = 'authorization,openai-beta,anthropic-workspace-id,user-agent,x-stainless-helper,x-goog-user-project,traceparent';
    for (const [asked, allowed] of [
      [names, names],
      ['"x"', 'authorization, x-api-key, x-goog-api-key, content-type, idempotency-key'],
    ] as const) {
      const told = await fetch(`${relay.baseUrl}/responses`, {
        method: 'OPTIONS',
        headers: { origin: 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': asked },
      });
      expect(told.headers.get('access-control-allow-headers')).to.equal(allowed);
    }
    const answer = await relay.post(
      '/v1/chat/completions',
      { model: 'm', messages: MESSAGES },
      { headers: { origin: 'https://app.example' } },
    );
    expect(answer.headers.get('access-control-expose-headers')).to.contain('x-oblivious-cost');
    expect(
      (await relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES })).headers.get('access-control-allow-origin'),
    ).to.equal(null);
  });

  it('cost nothing', async () => {
    for (const path of ['/v1/models', '/v1/models/m', '/v1/key', '/v1/dashboard/billing/usage']) await (await get(path)).text();
    expect(relay.spending.reservations).to.have.length(0);
    expect(upstream.calls).to.have.length(0);
  });
});

describe('the relay’s limits', () => {
  let upstream: FakeUpstream;
  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());

  const limited = async (limits: NonNullable<Parameters<typeof startRelay>[0]>['limits']): Promise<RelayHarness> => {
    upstream.reset();
    const relay = await startRelay({ ...(limits === undefined ? {} : { limits }) });
    relay.directory.channels = [channel(upstream.baseUrl)];
    relay.directory.prices.set('m', chatPrice('m'));
    return relay;
  };
  const outcomes = async (relay: RelayHarness, calls: number): Promise<readonly string[]> =>
    Promise.all(
      Array.from({ length: calls }, async () => {
        const response = await relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES });
        const body = (await response.json()) as Partial<ErrorAnswer>;
        return body.error?.code ?? 'answered';
      }),
    );
  const count = (all: readonly string[], one: string): number => all.filter((each) => each === one).length;

  it('bound what a key asks for in a minute, and say when to come back', async () => {
    const relay = await limited({ perKey: { requestsPerMinute: 5, inFlight: null } });
    const all = await outcomes(relay, 12);
    expect([count(all, 'answered'), count(all, 'rate_limited')]).to.deep.equal([5, 7]);
    const response = await relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES });
    expect(Number(response.headers.get('retry-after'))).to.be.within(1, 12);
    await relay.close();
  });

  it('bound what a user has running, through whichever key', async () => {
    const relay = await limited({ perUser: { requestsPerMinute: null, inFlight: 3 } });
    upstream.when({}, { fail: 'silence', after: 1 });
    const leaving = new AbortController();
    const begin = (): Promise<Response> =>
      relay.post('/v1/chat/completions', { model: 'm', stream: true, messages: MESSAGES }, { signal: leaving.signal });
    const running = await Promise.all([begin(), begin(), begin()]);
    expect(running.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
    upstream.reset();
    expect(count(await outcomes(relay, 7), 'too_many_in_flight')).to.equal(7);
    leaving.abort();
    await relay.idle();
    // What was refused did not count, and what ended gave its place back.
    for (let i = 0; i < 3; i++) expect(await outcomes(relay, 3)).to.deep.equal(['answered', 'answered', 'answered']);
    await relay.close();
  });
});
