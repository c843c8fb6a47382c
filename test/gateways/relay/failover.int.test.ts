import { createServer } from 'node:http';
import { expect } from 'chai';
import type { DirectoryChannel } from '../../../gateways/ports/directory.ts';
import type { FakeScript } from '../../support/fake-upstream/script.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { handStopwatch } from '../../support/hand-stopwatch.ts';
import { channel, chatPrice, startRelay, type ChannelOptions, type RelayHarness } from './relay-harness.ts';

const MESSAGES = [{ role: 'user', content: 'What is in the ledger?' }];

/** Answers whatever it is asked with a plain answer. */
const startLyingUpstream = async (): Promise<{ url: string; close: () => Promise<void> }> => {
  const server = createServer((req, res) => {
    req.resume();
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end('{"id":"x","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};

interface ErrorAnswer {
  readonly error: { readonly message: string; readonly type: string; readonly code: string };
}

describe('a call whose upstream fails', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;

  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay({ random: () => 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const serveBy = (...options: readonly ChannelOptions[]): readonly DirectoryChannel[] => {
    relay.directory.channels = options.map((each, index) =>
      channel(each.baseUrl ?? upstream.baseUrl, { priority: -index, keys: [`sk-${index + 1}`], ...each }),
    );
    relay.directory.prices.set('m', chatPrice('m'));
    return relay.directory.channels;
  };
  const chat = (more: object = {}): Promise<Response> => relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES, ...more });
  const codeOf = async (response: Response): Promise<string> => ((await response.json()) as ErrorAnswer).error.code;
  const keysUsed = (): readonly (string | undefined)[] => upstream.calls.map(({ key }) => key);
  const outcomes = (): readonly string[] =>
    (relay.spending.last.charges[0] ?? relay.spending.last.releases[0])?.call.attempts.map(({ outcome }) => outcome) ?? [];

  const FAILURES: readonly {
    readonly script: FakeScript;
    readonly streamed: readonly boolean[];
    readonly outcome: string;
    readonly code: string;
    readonly reconcile: boolean;
  }[] = [
    { script: { fail: 'status', status: 500 }, streamed: [false, true], outcome: 'failed', code: 'upstream_failed', reconcile: false },
    { script: { fail: 'status', status: 503 }, streamed: [false, true], outcome: 'failed', code: 'upstream_failed', reconcile: false },
    { script: { fail: 'status', status: 401 }, streamed: [false, true], outcome: 'refused', code: 'upstream_refused', reconcile: false },
    { script: { fail: 'status', status: 402 }, streamed: [false], outcome: 'refused', code: 'upstream_refused', reconcile: false },
    { script: { fail: 'status', status: 404 }, streamed: [false, true], outcome: 'refused', code: 'upstream_refused', reconcile: false },
    {
      script: { fail: 'status', status: 429 },
      streamed: [false, true],
      outcome: 'refused',
      code: 'upstream_rate_limited',
      reconcile: false,
    },
    {
      script: { fail: 'status', status: 429, code: 'insufficient_quota' },
      streamed: [false],
      outcome: 'refused',
      code: 'upstream_refused',
      reconcile: false,
    },
    { script: { fail: 'reset' }, streamed: [false, true], outcome: 'failed', code: 'upstream_failed', reconcile: true },
    { script: { fail: 'end_early' }, streamed: [false], outcome: 'failed', code: 'upstream_garbled', reconcile: true },
    { script: { fail: 'garbage' }, streamed: [false], outcome: 'failed', code: 'upstream_garbled', reconcile: true },
    { script: { fail: 'error_in_200' }, streamed: [false], outcome: 'failed', code: 'upstream_failed', reconcile: false },
  ];

  for (const { script, streamed, outcome, code, reconcile } of FAILURES) {
    for (const stream of streamed) {
      const how = `${Object.values(script).join(' ')}, ${stream ? 'streamed' : 'plain'}`;

      it(`is served by the next channel (${how})`, async () => {
        const [, second] = serveBy({}, {});
        upstream.when({ key: 'sk-1' }, script);
        const response = await chat({ stream });
        expect(response.status).to.equal(200);
        await response.text();
        await relay.idle();
        expect(keysUsed()).to.deep.equal(['sk-1', 'sk-2']);
        expect(relay.spending.last.charges[0]?.channelId).to.equal(second?.channelId);
        expect(outcomes()).to.deep.equal([outcome, 'answered']);
      });

      it(`is refused and charged nothing when there is no other (${how})`, async () => {
        serveBy({});
        upstream.when({}, script);
        const response = await chat({ stream });
        expect(response.status).to.be.within(429, 599);
        expect(await codeOf(response)).to.equal(code);
        await relay.idle();
        expect(keysUsed()).to.deep.equal(['sk-1']);
        expect(relay.spending.charges).to.have.length(0);
        expect(relay.spending.releases[0]).to.deep.include({ reason: 'upstream_failed', reconcile });
        expect(relay.spending.releases[0]?.call).to.deep.include({ status: response.status, errorCode: code });
      });
    }
  }

  it('that is not there goes to the next', async () => {
    const gone = await startFakeUpstream();
    await gone.close();
    serveBy({ baseUrl: gone.baseUrl }, {});
    expect((await chat()).status).to.equal(200);
    await relay.idle();
    expect(outcomes()).to.deep.equal(['failed', 'answered']);
    serveBy({ baseUrl: gone.baseUrl });
    expect(await codeOf(await chat())).to.equal('upstream_failed');
    expect(relay.spending.releases[0]?.reconcile).to.equal(false);
  });

  it('in an address range that is off limits is not called', async () => {
    serveBy({ baseUrl: 'http://127.0.0.2:1/v1' });
    expect(await codeOf(await chat())).to.equal('upstream_failed');
    expect(relay.lines[0]?.detail).to.match(/private or reserved/);
  });

  it('that is silent is given up in time, whether or not headers came, and its connection is freed', async () => {
    await relay.close();
    const stopwatch = handStopwatch();
    relay = await startRelay({ random: () => 0, stopwatch, limits: { firstEventMs: 60, answerMs: 60 } });
    const asked = async (stream: boolean): Promise<Response> => {
      const answer = chat({ stream });
      await upstream.call(({ outcome }) => outcome === 'running');
      stopwatch.advance(61);
      return answer;
    };
    for (const stream of [false, true]) {
      upstream.reset();
      serveBy({}, {});
      upstream.when({ key: 'sk-1' }, { fail: 'silence' });
      const response = await asked(stream);
      expect(response.status).to.equal(200);
      await response.text();
      await relay.idle();
      expect(outcomes()).to.deep.equal(['timed_out', 'answered']);
      await upstream.call((call) => call.outcome === 'client_gone');
      serveBy({});
      upstream.when({}, { fail: 'silence' });
      expect((await asked(stream)).status).to.equal(504);
      expect(relay.spending.last.releases[0]?.reconcile).to.equal(true);
    }
  });

  it('on the caller’s request passes the upstream’s own words on, and tries nobody else', async () => {
    serveBy({}, {});
    for (const status of [400, 413, 422]) {
      upstream.reset();
      upstream.when({}, { fail: 'status', status, code: 'context_length_exceeded' });
      const response = await chat({ stream: status === 422 });
      expect(response.status).to.equal(status);
      const { error } = (await response.json()) as ErrorAnswer;
      expect(error.code).to.equal('context_length_exceeded');
      expect(error.message).to.contain('fake');
      expect(response.headers.get('x-request-id')).to.match(/^req_/);
      await relay.idle();
      expect(upstream.calls).to.have.length(1);
      expect(relay.spending.last.releases[0]).to.deep.include({ reason: 'refused', reconcile: false });
      expect(relay.spending.last.releases[0]?.call.status).to.equal(status);
    }
  });

  it('uses the other keys of a channel when one is limited or refused, in turn', async () => {
    serveBy({ keys: ['sk-a', 'sk-b', 'sk-c'] });
    await (await chat()).text();
    await (await chat()).text();
    expect(keysUsed()).to.deep.equal(['sk-a', 'sk-b']);
    upstream.when({ key: 'sk-c' }, { fail: 'status', status: 429, retryAfter: 60 });
    expect((await chat()).status).to.equal(200);
    expect(keysUsed().slice(2)).to.deep.equal(['sk-c', 'sk-a']);
    // The limited key rests for everybody.
    await (await chat()).text();
    await (await chat()).text();
    expect(keysUsed().slice(4)).to.deep.equal(['sk-b', 'sk-a']);
  });

  it('has a refused key disabled once, and goes on without it', async () => {
    const [first] = serveBy({ keys: ['sk-a', 'sk-b'] });
    upstream.when({ key: 'sk-a' }, { fail: 'status', status: 401 });
    for (let call = 0; call < 3; call++) expect((await chat()).status).to.equal(200);
    expect(relay.health.refusedKeys).to.deep.equal([first?.keys[0]?.keyId]);
    expect(keysUsed()).to.deep.equal(['sk-a', 'sk-b', 'sk-b', 'sk-b']);
  });

  it('does not call a channel whose keys are all disabled, and does call one that never had any', async () => {
    const [made] = serveBy({ keys: ['sk-a'] });
    relay.directory.channels = [
      { ...(made as DirectoryChannel), keys: (made as DirectoryChannel).keys.map((key) => ({ ...key, enabled: false })) },
    ];
    const response = await chat();
    expect([response.status, await codeOf(response)]).to.deep.equal([503, 'no_channel']);
    serveBy({ keys: [] });
    expect((await chat()).status).to.equal(200);
    expect(keysUsed()).to.deep.equal([undefined]);
  });

  it('tells the client how long a limited upstream wants to be left alone', async () => {
    serveBy({});
    for (const retryAs of ['seconds', 'date'] as const) {
      upstream.when({}, { fail: 'status', status: 429, retryAfter: 7, retryAs });
      serveBy({});
      const response = await chat();
      expect(response.status).to.equal(429);
      expect(Number(response.headers.get('retry-after'))).to.be.within(6, 8);
      upstream.reset();
    }
    serveBy({});
    upstream.when({}, { fail: 'status', status: 429, retryAfter: 7 });
    await chat();
    const resting = await chat();
    expect([resting.status, await codeOf(resting), Number(resting.headers.get('retry-after'))]).to.deep.equal([503, 'no_channel', 7]);
    expect(upstream.calls).to.have.length(1);
  });

  it('opens the breaker after failures in a row, probes, and tells of changes only', async () => {
    await relay.close();
    const stopwatch = handStopwatch();
    relay = await startRelay({ random: () => 0, stopwatch, limits: { breaker: { failures: 3, rest: 60_000, longestRest: 60_000 } } });
    const [only] = serveBy({});
    upstream.when({}, { fail: 'status', status: 500 });
    for (let call = 0; call < 6; call++) await chat();
    expect(upstream.calls).to.have.length(3);
    expect(relay.health.changes).to.deep.equal([`${String(only?.channelId)} unknown failing`]);
    upstream.reset();
    stopwatch.advance(59_999);
    expect((await chat()).status).not.to.equal(200);
    expect(upstream.calls).to.have.length(0);
    stopwatch.advance(1);
    expect((await chat()).status).to.equal(200);
    expect(upstream.calls).to.have.length(1);
    expect((await chat()).status).to.equal(200);
    expect(relay.health.changes).to.deep.equal([
      `${String(only?.channelId)} unknown failing`,
      `${String(only?.channelId)} failing healthy`,
    ]);
  });

  it('keeps retries within their budget when everything fails', async () => {
    await relay.close();
    relay = await startRelay({
      limits: {
        retryBudget: { share: 0.2, mostSaved: 10 },
        breaker: { failures: 100_000, rest: 1, longestRest: 1 },
        errorRate: { windowMs: 60_000, calls: 100_000, share: 1 },
      },
    });
    serveBy({ priority: 0 }, { priority: 0 }, { priority: 0 });
    upstream.when({}, { fail: 'status', status: 500 });
    for (let batch = 0; batch < 10; batch++) await Promise.all(Array.from({ length: 20 }, () => chat()));
    expect(upstream.calls.length).to.be.within(210, 200 + 40 + 10);
  });

  it('never tries more often than it may', async () => {
    await relay.close();
    relay = await startRelay({ limits: { attempts: 3 } });
    serveBy({}, {}, {}, {}, {});
    upstream.when({}, { fail: 'status', status: 500 });
    await chat();
    expect(upstream.calls).to.have.length(3);
  });

  it('puts on record what a failed attempt was billed all the same', async () => {
    // A plain answer where a stream was asked for.
    const lying = await startLyingUpstream();
    serveBy({ baseUrl: lying.url });
    const response = await chat({ stream: true });
    expect([response.status, await codeOf(response)]).to.deep.equal([502, 'upstream_garbled']);
    await relay.idle();
    expect(relay.spending.releases[0]?.reconcile).to.equal(true);
    expect(relay.spending.releases[0]?.call.attempts[0]?.billedUsage).to.deep.equal({ input: 7, output: 2 });
    await lying.close();
  });
});
