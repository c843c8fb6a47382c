import { expect } from 'chai';
import { handStopwatch } from '../../../support/hand-stopwatch.ts';
import { APP_ID, APP_KEY, sparkError, sparkPiece, startSparkMock } from '../../../support/fake-upstream/spark-mock.ts';
import { channelProbe } from '../../../../gateways/console/channel-probe.ts';
import { startHttpProxy, startSocksProxy } from '../../../support/proxies.ts';
import { channel, chatPrice, startRelay, type RelayHarness } from '../relay-harness.ts';

interface Said {
  readonly choices: readonly {
    readonly message: {
      readonly content: string;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly { readonly id: string; readonly function: object }[];
    };
    readonly finish_reason: string;
  }[];
}

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'Hello.' }] };
const TOOLS = [
  { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
];

describe('Spark, over WebSockets', () => {
  let mock: Awaited<ReturnType<typeof startSparkMock>>;
  let relay: RelayHarness;

  const serve = (model = 'generalv3.5', keys: readonly string[] = [APP_KEY], more: object = {}): void => {
    relay.directory.channels = [channel(mock.url, { provider: 'iflytek-spark', models: [`m=${model}`], keys, ...more })];
  };
  const ask = (more: object = {}, init: RequestInit = {}): Promise<Response> =>
    relay.post('/v1/chat/completions', { ...ASKED, ...more }, init);
  const whole = async (more: object = {}): Promise<Said['choices'][number] | undefined> => {
    const response = await ask(more);
    const answer = (await response.json()) as Said;
    expect(response.status, JSON.stringify(answer)).to.equal(200);
    return answer.choices[0];
  };
  const noneOpen = async (): Promise<void> => {
    while (mock.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  before(async () => {
    mock = await startSparkMock();
  });
  after(() => mock.close());
  beforeEach(async () => {
    mock.requests.length = 0;
    mock.next.length = 0;
    relay = await startRelay({ limits: { answerMs: 2_000, firstEventMs: 2_000 } });
    relay.directory.prices.set('m', chatPrice('m'));
    serve();
  });
  afterEach(() => relay.close());

  it('is sent one message, and charged by what it counts', async () => {
    expect(await whole({ max_tokens: 50_000, temperature: 1.8, user: 'u'.repeat(40), seed: 7 })).to.deep.include({ finish_reason: 'stop' });
    expect(mock.requests.at(-1)?.path).to.equal('/v3.5/chat');
    expect(mock.requests.at(-1)?.json).to.deep.equal({
      header: { app_id: APP_ID, uid: 'u'.repeat(32) },
      parameter: { chat: { domain: 'generalv3.5', temperature: 1, max_tokens: 8_192 } },
      payload: { message: { text: ASKED.messages } },
    });
    await relay.idle();
    expect(relay.spending.charges.at(-1)?.usage).to.deep.equal({ input: 20, output: 7 });
    await noneOpen();
  });

  it('streams as the messages come', async () => {
    const text = await (await ask({ stream: true })).text();
    const pieces = [...text.matchAll(/"content":"([^"]+)"/g)].map(([, piece]) => piece);
    expect(pieces).to.deep.equal(['Hell', 'o there.']);
    expect(text.endsWith('data: [DONE]\n\n')).to.equal(true);
    await relay.idle();
    expect(relay.spending.charges.at(-1)?.usage).to.deep.equal({ input: 20, output: 7 });
    await noneOpen();
  });

  it('tells thoughts of X1 as such', async () => {
    serve('x1');
    expect((await whole())?.message).to.deep.include({ content: 'Hello there.', reasoning_content: 'Hm.' });
  });

  it('has a function called, and hears of its outcome in words', async () => {
    const called = await whole({ tools: TOOLS });
    expect(called?.finish_reason).to.equal('tool_calls');
    expect(called?.message.tool_calls).to.deep.equal([
      { id: 'call_cht1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
    ]);
    const outcome = { role: 'tool', tool_call_id: 'call_cht1', content: 'sunny' };
    expect((await whole({ tools: TOOLS, messages: [...ASKED.messages, called?.message, outcome] }))?.message.content).to.equal(
      'It is sunny.',
    );
  });

  for (const [asked, param] of [
    [{ n: 2 }, 'n'],
    [{ tools: TOOLS, tool_choice: 'required' }, 'tool_choice'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example/b.png' } }] }] }, 'messages.0'],
  ] as const)
    it(`refuses ${JSON.stringify(asked).slice(0, 40)}`, async () => {
      const response = await ask(asked);
      expect([response.status, ((await response.json()) as { error: { param: string } }).error.param]).to.deep.equal([400, param]);
      expect(mock.requests).to.have.length(0);
    });

  it('refuses models that it does not know, and takes what a channel names by address and domain', async () => {
    serve('gpt-4o');
    expect((await ask()).status).to.equal(400);
    serve('v3.5/chat#generalv3.5');
    expect((await whole())?.message.content).to.equal('Hello there.');
  });

  for (const stream of [false, true])
    it(`judges an error in the first message by its code, ${stream ? 'streamed' : 'plain'}`, async () => {
      mock.next.push(sparkError(10013, 'The input was refused by an audit.'));
      const refused = await ask({ stream });
      expect([refused.status, (await refused.text()).includes('refused by an audit')]).to.deep.equal([400, true]);
      mock.next.push(sparkError(11202, 'Too many in a second.'));
      expect((await ask({ stream })).status).to.equal(429);
      expect(relay.health.refusedKeys).to.deep.equal([]);
      await noneOpen();
    });

  it('puts a key out of use that is refused at the handshake, or is none', async () => {
    serve('lite', [`${APP_ID}|wrong|key`, 'sk-1', APP_KEY]);
    expect((await whole())?.message.content).to.equal('Hello there.');
    expect(relay.health.refusedKeys.length).to.be.at.most(2);
    serve('lite', [`${APP_ID}|wrong|key`]);
    expect((await ask()).status).to.be.greaterThan(399);
    serve('lite', ['sk-1']);
    expect((await ask()).status).to.be.greaterThan(399);
    expect(relay.health.refusedKeys.length).to.be.at.least(2);
  });

  it('tells an error behind the first words, and a socket that is lost, as a stream that broke', async () => {
    mock.next.push({ status: 101, headers: {}, pieces: [sparkPiece('Hel'), ...sparkError(10012, 'It broke.').pieces] });
    expect(await (await ask({ stream: true })).text()).to.match(/It broke|"error"/);
    mock.next.push({ status: 101, headers: {}, pieces: [sparkPiece('Hel')], cut: true });
    const text = await (await ask({ stream: true })).text();
    expect([text.includes('"error"'), text.includes('[DONE]')]).to.deep.equal([true, false]);
  });

  it('asks another channel where one is lost before it says anything', async () => {
    mock.next.push({ status: 101, headers: {}, pieces: [], cut: true });
    relay.directory.channels = [1, 2].map((priority) =>
      channel(mock.url, { provider: 'iflytek-spark', models: ['m=lite'], keys: [APP_KEY], priority }),
    );
    expect((await whole())?.message.content).to.equal('Hello there.');
    expect(mock.requests).to.have.length(2);
  });

  it('gives up where nothing comes, and closes the socket', async () => {
    await relay.close();
    const stopwatch = handStopwatch();
    relay = await startRelay({ stopwatch, limits: { answerMs: 60_000, firstEventMs: 60_000 } });
    relay.directory.prices.set('m', chatPrice('m'));
    serve();
    mock.next.push({ status: 101, headers: {}, pieces: [], hang: true });
    const answer = ask();
    while (mock.open === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stopwatch.advance(60_001);
    expect((await answer).status).to.equal(504);
    await noneOpen();
  });

  it('closes the socket of a stream whose client leaves', async () => {
    const { left } = mock;
    mock.next.push({ status: 101, headers: {}, pieces: [sparkPiece('Hel')], hang: true });
    const leaving = new AbortController();
    const response = await ask({ stream: true }, { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    await relay.idle();
    await noneOpen();
    expect(mock.left).to.equal(left + 1);
  });

  it('is not asked where egress does not allow it, nor past a proxy', async () => {
    relay.directory.channels = [channel('http://10.0.0.1:1', { provider: 'iflytek-spark', models: ['m=lite'], keys: [APP_KEY] })];
    expect((await ask()).status).to.equal(502);
    serve('lite', [APP_KEY], { proxy: 'http://10.0.0.1:1' });
    expect((await ask()).status).to.equal(502);
    expect(mock.requests).to.have.length(0);
  });

  it('is tried by whoever tests a channel', async () => {
    const probe = channelProbe({ upstream: relay.pools, clock: { now: () => Date.now() }, sandboxUrl: () => null });
    const { settings } = channel(mock.url, { provider: 'iflytek-spark' });
    const mapping = { model: 'm', upstreamModel: 'lite' };
    expect(await probe.probe(settings, mapping, APP_KEY)).to.include({ ok: true });
    expect(await probe.probe(settings, mapping, 'wrong')).to.include({ ok: false });
  });

  for (const [how, start] of [
    ['HTTP', startHttpProxy],
    ['SOCKS5', startSocksProxy],
  ] as const)
    it(`is reached through its channel’s proxy (${how})`, async () => {
      const proxy = await start();
      try {
        serve('lite', [APP_KEY], { proxy: proxy.url });
        expect((await whole())?.message.content).to.equal('Hello there.');
        expect(proxy.targets).to.deep.equal([new URL(mock.url).host]);
        await noneOpen();
      } finally {
        await proxy.close();
      }
    });
});
