import { expect } from 'chai';
import type { Money } from '../../../../schemas/money.ts';
import { jsonReply } from '../../../support/fake-upstream/mock-server.ts';
import { handStopwatch } from '../../../support/hand-stopwatch.ts';
import { startReplicateMock, type ReplicateMock } from '../../../support/fake-upstream/replicate-mock.ts';
import { channelProbe } from '../../../../gateways/console/channel-probe.ts';
import { channel, chatPrice, startRelay, type RelayHarness } from '../relay-harness.ts';

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'Hello.' }] };
const IMAGE = (url: string): object => ({ type: 'image_url', image_url: { url } });

interface Said {
  readonly id: string;
  readonly choices: readonly { readonly message: { readonly content: string }; readonly finish_reason: string }[];
  readonly error?: { readonly message: string; readonly param: string };
}

describe('Replicate', () => {
  let mock: ReplicateMock;
  let relay: RelayHarness;

  const serve = (model = 'meta/llama', keys: readonly string[] = ['sk-replicate'], baseUrl = `${mock.url}/v1`): void => {
    relay.directory.channels = [
      channel(baseUrl, { provider: 'replicate', models: [`m=${model}`, 'p=black-forest-labs/flux-schnell'], keys }),
    ];
  };
  const ask = (more: object = {}, init: RequestInit = {}): Promise<Response> =>
    relay.post('/v1/chat/completions', { ...ASKED, ...more }, init);
  const whole = async (more: object = {}): Promise<Said> => {
    const response = await ask(more);
    const answer = (await response.json()) as Said;
    expect(response.status, JSON.stringify(answer)).to.equal(200);
    return answer;
  };
  const paths = (): readonly string[] => mock.requests.map(({ method, path }) => `${method} ${path}`);
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(async () => {
    mock = await startReplicateMock();
    relay = await startRelay({ limits: { answerMs: 2_000, firstEventMs: 2_000 } });
    relay.directory.prices.set('m', chatPrice('m'));
    relay.directory.prices.set('p', { model: 'p', kind: 'image', rates: { image: 3_000_000n as Money } });
    serve();
  });
  afterEach(async () => {
    await relay.close();
    await mock.close();
  });

  it('is waited for, and charged by its metrics', async () => {
    const answer = await whole({
      max_tokens: 50,
      temperature: 0.5,
      stop: ['a', 'b'],
      messages: [{ role: 'system', content: 'Be kind.' }, ...ASKED.messages],
    });
    expect([answer.id, answer.choices[0]?.message.content]).to.deep.equal(['chatcmpl-p1', 'Hello there.']);
    expect(paths()).to.deep.equal(['POST /v1/models/meta/llama/predictions']);
    expect(mock.requests[0]?.headers['prefer']).to.equal('wait=60');
    expect(mock.requests[0]?.json).to.deep.equal({
      input: { prompt: 'Hello.', system_prompt: 'Be kind.', temperature: 0.5, max_tokens: 50, stop_sequences: 'a,b' },
    });
    await relay.idle();
    expect(relay.spending.charges.at(-1)?.usage).to.deep.equal({ input: 20, output: 7 });
  });

  it('is looked at until it has ended', async () => {
    mock.looks = 4;
    expect((await whole()).choices[0]?.message.content).to.equal('Hello there.');
    expect(paths().slice(1)).to.deep.equal(Array.from({ length: 4 }, () => 'GET /v1/predictions/p1'));
  });

  it('goes on looking where a look fails, and gives up where it is lost', async () => {
    mock.looks = 4;
    const asked = ask();
    await until(() => mock.requests.length >= 2);
    mock.next.push(jsonReply(500, { detail: 'It hurts.' }));
    expect((await asked).status).to.equal(200);
    const lost = ask();
    await until(() => mock.requests.some(({ path }) => path === '/v1/predictions/p2'));
    for (let more = 0; more < 4; more++) mock.next.push(jsonReply(503, { detail: 'It hurts.' }));
    expect((await lost).status).to.equal(502);
    await until(() => mock.cancelled.includes('p2'));
  });

  it('streams its events, and what they left out', async () => {
    const text = await (await ask({ stream: true })).text();
    expect([...text.matchAll(/"content":"([^"]+)"/g)].map(([, piece]) => piece)).to.deep.equal(['Hell', 'o there.']);
    expect([text.includes('"id":"chatcmpl-p1"'), text.endsWith('data: [DONE]\n\n')]).to.deep.equal([true, true]);
    expect(paths()).to.deep.equal(['POST /v1/models/meta/llama/predictions', 'GET /v1/files/p1/stream', 'GET /v1/predictions/p1']);
    await relay.idle();
    expect(relay.spending.charges.at(-1)?.usage).to.deep.equal({ input: 20, output: 7 });
  });

  for (const [what, events] of [
    ['elsewhere', () => 'https://replicate.com.evil.example/v1/stream'],
    ['inside', () => 'http://10.0.0.1/v1/stream'],
    ['nowhere', null],
  ] as const)
    it(`does not ask for events that are ${what}, and tells the answer when it is whole`, async () => {
      mock.events = events;
      const text = await (await ask({ stream: true })).text();
      expect([...text.matchAll(/"content":"([^"]+)"/g)].map(([, piece]) => piece)).to.deep.equal(['Hello there.']);
      expect(paths()).to.deep.equal(['POST /v1/models/meta/llama/predictions', 'GET /v1/predictions/p1']);
    });

  it('is cancelled when nobody waits any more', async () => {
    mock.stalls = true;
    const leaving = new AbortController();
    const response = await ask({ stream: true }, { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    await until(() => mock.cancelled.length > 0);
    expect(mock.cancelled).to.deep.equal(['p1']);
    await relay.idle();
  });

  it('is cancelled when its time is up', async () => {
    await relay.close();
    const stopwatch = handStopwatch();
    relay = await startRelay({ stopwatch, limits: { answerMs: 60_000 } });
    relay.directory.prices.set('m', chatPrice('m'));
    serve();
    mock.looks = Number.MAX_SAFE_INTEGER;
    const answer = ask();
    await until(() => paths().some((path) => path.startsWith('GET ')));
    stopwatch.advance(60_001);
    expect((await answer).status).to.equal(504);
    await until(() => mock.cancelled.length > 0);
  });

  for (const stream of [false, true])
    it(`that fails is a failure of the channel’s, ${stream ? 'streamed' : 'plain'}`, async () => {
      mock.ending = { status: 'failed', error: 'CUDA out of memory' };
      mock.events = null;
      expect((await ask({ stream })).status).to.equal(502);
      expect(relay.spending.charges).to.deep.equal([]);
    });

  it('tells earlier turns in its prompt, and pictures as its owner calls them', async () => {
    serve('openai/gpt-4o');
    await whole({
      messages: [
        { role: 'user', content: 'Hello.' },
        { role: 'assistant', content: 'Hi.' },
        {
          role: 'user',
          content: [{ type: 'text', text: 'What are they?' }, IMAGE('https://a.example/1.png'), IMAGE('https://a.example/2.png')],
        },
      ],
      max_tokens: 9,
    });
    expect(mock.requests[0]?.json).to.deep.equal({
      input: {
        prompt: 'User: Hello.\n\nAssistant: Hi.\n\nUser: What are they?\n\nAssistant:',
        image_input: ['https://a.example/1.png', 'https://a.example/2.png'],
        max_completion_tokens: 9,
      },
    });
  });

  it('knows models by version and deployments', async () => {
    const version = 'a1'.repeat(32);
    serve(`meta/llama:${version}`);
    await whole();
    expect([paths()[0], mock.requests[0]?.json['version']]).to.deep.equal(['POST /v1/predictions', version]);
    serve('deployments/acme/llama');
    await whole();
    expect(paths()[1]).to.equal('POST /v1/deployments/acme/llama/predictions');
    serve('../../account');
    expect((await ask()).status).to.equal(400);
    expect(mock.requests).to.have.length(2);
  });

  for (const [asked, param] of [
    [{ n: 2 }, 'n'],
    [{ tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
    [{ messages: [{ role: 'user', content: [IMAGE('https://a.example/1.png'), IMAGE('https://a.example/2.png')] }] }, 'messages.0'],
  ] as const)
    it(`refuses ${JSON.stringify(asked).slice(0, 40)}`, async () => {
      const response = await ask(asked);
      expect([response.status, ((await response.json()) as Said).error?.param]).to.deep.equal([400, param]);
      expect(mock.requests).to.have.length(0);
    });

  it('makes pictures, charged by the piece', async () => {
    const response = await relay.post('/v1/images/generations', {
      model: 'p',
      prompt: 'A fjord',
      n: 2,
      size: '1792x1024',
      output_format: 'jpeg',
    });
    const answer = (await response.json()) as { readonly data: readonly { readonly url: string }[] };
    expect(answer.data.map(({ url }) => url)).to.deep.equal(['https://replicate.delivery/0.webp', 'https://replicate.delivery/1.webp']);
    expect(mock.requests[0]?.json).to.deep.equal({
      input: { prompt: 'A fjord', num_outputs: 2, aspect_ratio: '16:9', output_format: 'jpg' },
    });
    await relay.idle();
    expect(relay.spending.charges.at(-1)?.usage).to.deep.equal({ image: 2 });
    const refused = await relay.post('/v1/images/generations', { model: 'p', prompt: 'A fjord', response_format: 'b64_json' });
    expect(refused.status).to.equal(400);
  });

  it('puts a key out of use that is refused, and passes on what is said of an input', async () => {
    mock.next.push(jsonReply(422, { title: 'Input validation failed', detail: '- input.prompt: too long', status: 422 }));
    const refused = await ask();
    expect([refused.status, (await refused.text()).includes('too long')]).to.deep.equal([422, true]);
    serve('meta/llama', ['wrong']);
    expect((await ask()).status).to.be.greaterThan(399);
    expect(relay.health.refusedKeys).to.have.length(1);
  });

  it('is tried by whoever tests a channel', async () => {
    const probe = channelProbe({ upstream: relay.pools, clock: { now: () => Date.now() }, sandboxUrl: () => null });
    const { settings } = channel(`${mock.url}/v1`, { provider: 'replicate' });
    const mapping = { model: 'm', upstreamModel: 'meta/llama' };
    expect(await probe.probe(settings, mapping, 'sk-replicate')).to.include({ ok: true });
    expect(await probe.probe(settings, mapping, 'wrong')).to.include({ ok: false });
  });
});
