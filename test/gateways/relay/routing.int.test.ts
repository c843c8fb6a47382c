import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { DEFAULT_ROUTING } from '../../../domain/relay/routing-rules.ts';
import type { DirectoryChannel } from '../../../gateways/ports/directory.ts';
import { startHttpProxy } from '../../support/proxies.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, startRelay, type ChannelOptions, type RelayHarness } from './relay-harness.ts';

const MESSAGES = [{ role: 'user', content: 'Who is next?' }];

/** Begins to answer when it is let, with a whole stream. */
const startHeldUpstream = async (): Promise<{ url: string; release: () => void; close: () => Promise<void> }> => {
  const held: ServerResponse[] = [];
  const server = createServer((req, res) => {
    req.resume();
    held.push(res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const chunk = {
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    release: () => {
      for (const res of held.splice(0))
        res.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};

describe('where calls go', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;

  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay();
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const serveBy = (...options: readonly ChannelOptions[]): readonly DirectoryChannel[] => {
    relay.directory.channels = options.map((each, index) =>
      channel(each.baseUrl ?? upstream.baseUrl, { keys: [`sk-${index + 1}`], ...each }),
    );
    relay.directory.prices.set('m', chatPrice('m'));
    return relay.directory.channels;
  };
  const chat = (more: object = {}, headers: Record<string, string> = {}): Promise<Response> =>
    relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES, ...more }, { headers });
  const keysUsed = (): readonly (string | undefined)[] => upstream.calls.map(({ key }) => key);
  const attempts = () => (relay.spending.last.charges[0] ?? relay.spending.last.releases[0])?.call.attempts ?? [];

  it('no client sees an error when the best channel dies while they call', async () => {
    const best = await startFakeUpstream();
    serveBy({ baseUrl: best.baseUrl, priority: 9 }, { weight: 3 }, { weight: 1 });
    const batch = async (size: number): Promise<void> => {
      const answers = await Promise.all(Array.from({ length: size }, (_, call) => chat({ stream: call % 2 === 0 })));
      for (const answer of answers) {
        expect(answer.status).to.equal(200);
        const text = await answer.text();
        expect(text).to.not.contain('"error"');
      }
    };
    await batch(20);
    expect(upstream.calls).to.have.length(0);
    await best.goAway();
    for (let round = 0; round < 10; round++) await batch(20);
    expect(upstream.calls.length).to.equal(200);
    await best.close();
    await relay.idle();
    expect(relay.spending.charges.length).to.equal(220);
  });

  it('a stream that does not begin in time is asked of a second channel, which alone is charged', async () => {
    const [slow, quick] = serveBy({ priority: 1 }, {});
    relay.directory.routing = { ...DEFAULT_ROUTING, hedgeMs: 50 };
    upstream.when({ key: 'sk-1' }, { fail: 'silence' });
    const response = await chat({ stream: true });
    expect(response.status).to.equal(200);
    expect(await response.text()).to.contain('[DONE]');
    await relay.idle();
    expect(keysUsed()).to.deep.equal(['sk-1', 'sk-2']);
    await upstream.call(({ key, outcome }) => key === 'sk-1' && outcome === 'client_gone');
    expect(relay.spending.charges).to.have.length(1);
    expect(relay.spending.last.charges[0]?.channelId).to.equal(quick?.channelId);
    expect(attempts().map(({ channelId, outcome }) => [channelId, outcome])).to.deep.equal([
      [slow?.channelId, 'aborted'],
      [quick?.channelId, 'answered'],
    ]);
  });

  it('the first channel serves after all where the second fails, and plain answers are never asked for twice', async () => {
    relay.directory.routing = { ...DEFAULT_ROUTING, hedgeMs: 50 };
    const slow = await startHeldUpstream();
    serveBy({ priority: 1, baseUrl: slow.url }, {});
    upstream.when({ key: 'sk-2' }, { fail: 'status', status: 500 });
    const asked = chat({ stream: true });
    await upstream.call(({ key, outcome }) => key === 'sk-2' && outcome !== 'running');
    slow.release();
    expect(await (await asked).text()).to.contain('[DONE]');
    await relay.idle();
    await slow.close();
    expect(keysUsed()).to.deep.equal(['sk-2']);
    expect(attempts().map(({ outcome }) => outcome)).to.deep.equal(['failed', 'answered']);
    upstream.reset();
    serveBy({ priority: 1 }, {});
    upstream.when({ key: 'sk-1' }, { latency: 200 });
    expect((await chat()).status).to.equal(200);
    expect(keysUsed()).to.deep.equal(['sk-1']);
  });

  it('a client that leaves while two channels are asked leaves both', async () => {
    serveBy({ priority: 1 }, {});
    relay.directory.routing = { ...DEFAULT_ROUTING, hedgeMs: 50 };
    upstream.when({}, { fail: 'silence' });
    const leaving = new AbortController();
    const asked = relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES, stream: true }, { signal: leaving.signal });
    await upstream.call(({ key }) => key === 'sk-2');
    leaving.abort();
    await asked.catch(() => undefined);
    await relay.idle();
    for (const key of ['sk-1', 'sk-2']) await upstream.call((call) => call.key === key && call.outcome === 'client_gone');
    expect(relay.spending.charges).to.have.length(0);
    expect(relay.spending.last.releases[0]).to.deep.include({ reason: 'client_left', reconcile: true });
    expect(attempts().map(({ outcome }) => outcome)).to.deep.equal(['aborted', 'aborted']);
  });

  it('calls of one conversation stay on one channel and one key, those of others spread', async () => {
    serveBy(...[1, 2, 3, 4].map((index) => ({ keys: [`sk-${index}a`, `sk-${index}b`] })));
    for (let call = 0; call < 6; call++) await (await chat({ prompt_cache_key: 'one and the same' })).text();
    expect(new Set(keysUsed()).size).to.equal(1);
    for (let call = 0; call < 24; call++) await (await chat({ prompt_cache_key: `another ${call}` })).text();
    expect(new Set(keysUsed()).size).to.be.greaterThan(4);
    upstream.reset();
    relay.directory.routing = { ...DEFAULT_ROUTING, affinity: ['session'] };
    for (let call = 0; call < 6; call++) await (await chat({}, { 'x-session-id': 'a session' })).text();
    expect(new Set(keysUsed()).size).to.equal(1);
  });

  it('channels take turns where a rule says so', async () => {
    serveBy({}, {}, {});
    relay.directory.routing = { ...DEFAULT_ROUTING, strategy: 'round_robin' };
    for (let call = 0; call < 6; call++) await (await chat()).text();
    expect(keysUsed()).to.deep.equal(['sk-1', 'sk-2', 'sk-3', 'sk-1', 'sk-2', 'sk-3']);
  });

  it('a channel is passed over by what it cannot do, and by the endpoints that it takes', async () => {
    serveBy({ priority: 2, endpoints: ['embeddings'] }, { priority: 1 }, {});
    const [first, second, third] = relay.directory.channels as [DirectoryChannel, DirectoryChannel, DirectoryChannel];
    const models = second.settings.models.map((mapping) => ({ ...mapping, lacks: ['tools' as const] }));
    relay.directory.channels = [first, { ...second, settings: { ...second.settings, models } }, third];
    await (await chat()).text();
    await (await chat({ tools: [{ type: 'function', function: { name: 'look', parameters: {} } }] })).text();
    expect(keysUsed()).to.deep.equal(['sk-2', 'sk-3']);
  });

  it('a name that fits a pattern, or differs by capitals only, is served under the name that has a price', async () => {
    serveBy({ models: ['gpt-*=their-*'] });
    relay.directory.prices.set('gpt-9', chatPrice('gpt-9'));
    const response = await chat({ model: 'gpt-9' });
    expect(((await response.json()) as { model: string }).model).to.equal('gpt-9');
    expect(upstream.calls[0]?.model).to.equal('their-9');
    serveBy({});
    expect(((await (await chat({ model: 'models/M' })).json()) as { model: string }).model).to.equal('m');
  });

  it('what an upstream says of its account takes the key, or the channel, out of use for everybody', async () => {
    const [first] = serveBy({ priority: 1 }, {});
    upstream.when({ key: 'sk-1' }, { fail: 'status', status: 400, code: 'account_deactivated' });
    expect((await chat()).status).to.equal(200);
    expect(relay.health.refusedKeys).to.deep.equal([first?.keys[0]?.keyId]);
    const [ruled] = serveBy({ priority: 1, disableRules: [{ statuses: [418], texts: ['FAKE'], disables: 'channel' }] }, {});
    upstream.when({ key: 'sk-1' }, { fail: 'status', status: 418 });
    for (let call = 0; call < 2; call++) expect((await chat()).status).to.equal(200);
    expect(relay.health.refusedChannels).to.deep.equal([ruled?.channelId]);
  });

  it('reads a status as the channel has it mapped, and waits no longer than the channel does', async () => {
    serveBy({ priority: 1, statusMap: [{ from: 400, to: 429 }] }, {});
    upstream.when({ key: 'sk-1' }, { fail: 'status', status: 400 });
    expect((await chat()).status).to.equal(200);
    expect(keysUsed()).to.deep.equal(['sk-1', 'sk-2']);
    upstream.reset();
    serveBy({ priority: 1, times: { answerSeconds: 1 } }, {});
    upstream.when({ key: 'sk-1' }, { fail: 'silence' });
    expect((await chat()).status).to.equal(200);
    await relay.idle();
    expect(attempts().map(({ outcome }) => outcome)).to.deep.equal(['timed_out', 'answered']);
  });

  it('a channel puts its own text, its rules and its headers into what it sends, and holds money for what it adds', async () => {
    await (serveBy({}), chat({ temperature: 2 }));
    await relay.idle();
    const plain = relay.spending.last.request.amount;
    upstream.reset();
    serveBy(
      {
        priority: 2,
        bodyRules: [{ op: 'pass_over', when: [{ path: 'temperature', is: 'greater', value: 1 }] }],
      },
      {
        priority: 1,
        systemPrompt: { text: 'Be brief.', place: 'before' },
        bodyRules: [
          { op: 'set', path: 'temperature', value: 1 },
          { op: 'default', path: 'metadata.from', value: 'here' },
        ],
        headerRules: [
          { op: 'set', name: 'x-title', value: 'ours' },
          { op: 'pass', name: 'openai-beta' },
          { op: 'pass', name: 'x-not-sent' },
        ],
      },
    );
    expect((await chat({ temperature: 2 }, { 'openai-beta': 'assistants=v2' })).status).to.equal(200);
    await relay.idle();
    expect(relay.spending.last.request.amount > plain, 'what the channel adds is held as well').to.equal(true);
    expect(keysUsed()).to.deep.equal(['sk-2']);
    const [sent] = upstream.calls;
    const body = JSON.parse(sent?.body.toString() ?? '') as Record<string, unknown>;
    expect(body['messages']).to.deep.equal([{ role: 'system', content: 'Be brief.' }, ...MESSAGES]);
    expect(body).to.deep.include({ temperature: 1, metadata: { from: 'here' }, model: 'm' });
    expect(sent?.headers).to.include({ 'x-title': 'ours', 'openai-beta': 'assistants=v2', authorization: 'Bearer sk-2' });
    expect(sent?.headers).to.not.have.property('x-not-sent');
  });

  it('a channel is called through its proxy', async () => {
    const proxy = await startHttpProxy();
    serveBy({ proxy: proxy.url });
    expect((await chat()).status).to.equal(200);
    expect(proxy.targets).to.deep.equal([`127.0.0.1:${upstream.port}`]);
    await relay.idle();
    await proxy.close();
  });
});
