import { expect } from 'chai';
import OpenAI from 'openai';
import type { Money } from '../../../../schemas/money.ts';
import { channel, KEY, startRelay, type RelayHarness } from '../relay-harness.ts';
import { events, json, startEndpointUpstream, type Answering, type EndpointUpstream } from './endpoint-upstream.ts';
import { priceOfKind } from './priced-models.ts';

const SOUND = Buffer.from(Array.from({ length: 3_000 }, (_each, index) => index % 251));

const sound: Answering = (res) => {
  res.writeHead(200, { 'content-type': 'audio/mpeg' });
  res.write(SOUND.subarray(0, 1_000), () => res.write(SOUND.subarray(1_000, 2_000), () => res.end(SOUND.subarray(2_000))));
};

describe('speech', () => {
  let upstream: EndpointUpstream;
  let relay: RelayHarness;
  let client: OpenAI;

  before(async () => {
    upstream = await startEndpointUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay();
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['characters=tts-1', 'tokens=gpt-4o-mini-tts'] })];
    relay.directory.prices.set('tokens', { ...priceOfKind('speech'), model: 'tokens' });
    relay.directory.prices.set('characters', { model: 'characters', kind: 'speech', rates: { character: 15_000n as Money } });
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const charged = () => relay.spending.last.charges[0];
  const speak = (model: string, input = 'Hello, 世界 👋'): Promise<Response> =>
    relay.post('/v1/audio/speech', { model, input, voice: 'alloy' });

  it('is the upstream’s bytes, charged by the character', async () => {
    upstream.on('/v1/audio/speech', sound);
    const response = await client.audio.speech.create({ model: 'characters', input: 'Hello, 世界 👋', voice: 'alloy' });
    expect(response.headers.get('content-type')).to.equal('audio/mpeg');
    expect(Buffer.from(await response.arrayBuffer())).to.deep.equal(SOUND);
    expect(upstream.calls[0]?.headers.accept).to.equal('*/*');
    expect(JSON.parse(upstream.calls[0]?.body.toString() ?? '')).to.deep.equal({ model: 'tts-1', input: 'Hello, 世界 👋', voice: 'alloy' });
    expect(charged()).to.deep.include({ usage: { character: 11 }, basis: 'reported', computed: 165_000n });
    expect(charged()?.call).to.include({ endpoint: 'speech', streamed: true, status: 200 });
    expect(relay.spending.last.request.amount).to.equal(165_000n);
  });

  it('is reckoned where the price is by tokens and bytes say nothing of them', async () => {
    upstream.on('/v1/audio/speech', sound);
    expect(Buffer.from(await (await speak('tokens', 'x'.repeat(150))).arrayBuffer())).to.deep.equal(SOUND);
    expect(charged()).to.deep.include({ usage: { input: 150, audioOutput: 200 }, basis: 'estimated' });
    expect((charged()?.computed ?? 0n) <= relay.spending.last.hold.amount).to.equal(true);
  });

  it('comes as events too, charged by what their last one reports', async () => {
    const done = { type: 'speech.audio.done', usage: { input_tokens: 7, output_tokens: 90, total_tokens: 97 } };
    upstream.on('/v1/audio/speech', events({ type: 'speech.audio.delta', audio: 'AAAA' }, done));
    const response = await relay.post('/v1/audio/speech', { model: 'tokens', input: 'Hi', voice: 'alloy', stream_format: 'sse' });
    expect(response.headers.get('content-type')).to.contain('text/event-stream');
    expect(await response.text())
      .to.contain('speech.audio.delta')
      .and.to.contain('speech.audio.done');
    expect(charged()).to.deep.include({ usage: { input: 7, audioOutput: 90 }, basis: 'reported' });
  });

  it('is not whole before its charge is on record, and never where that is refused', async () => {
    upstream.on('/v1/audio/speech', sound);
    relay.spending.chargeDurable = async () => ({ refused: 'log_unavailable', message: 'no log' });
    const whole = await speak('characters')
      .then((response) => response.arrayBuffer())
      .then(
        () => true,
        () => false,
      );
    expect(whole, 'ended as if it were whole').to.equal(false);
    expect(relay.lines.at(-1)).to.include({ errorCode: 'log_unavailable' });
  });

  it('that breaks off is cut off, and charged for what the upstream was given', async () => {
    upstream.on('/v1/audio/speech', (res) => {
      res.writeHead(200, { 'content-type': 'audio/mpeg' });
      res.write(SOUND.subarray(0, 1_000), () => res.write(SOUND.subarray(1_000), () => res.destroy()));
    });
    const whole = await speak('characters')
      .then((response) => response.arrayBuffer())
      .then(
        () => true,
        () => false,
      );
    expect(whole).to.equal(false);
    await relay.idle();
    expect(charged()?.usage).to.deep.equal({ character: 11 });
  });

  it('is asked of another channel where one fails before its first byte, or answers with something else', async () => {
    const other = await startEndpointUpstream();
    other.on('/v1/audio/speech', sound);
    relay.directory.channels = [
      channel(upstream.baseUrl, { models: ['characters'], priority: 2 }),
      channel(other.baseUrl, { models: ['characters'], priority: 1 }),
    ];
    for (const failing of [
      json({ error: { message: 'down', type: 'server_error' } }, 500),
      json({ error: { message: 'no voice' } }),
      json({}),
    ]) {
      upstream.on('/v1/audio/speech', failing);
      expect(Buffer.from(await (await speak('characters')).arrayBuffer())).to.deep.equal(SOUND);
    }
    await other.close();
  });

  it('that is refused says so in JSON, and costs nothing', async () => {
    upstream.on(
      '/v1/audio/speech',
      json({ error: { message: 'no such voice', type: 'invalid_request_error', param: 'voice', code: null } }, 400),
    );
    const refused = await speak('characters');
    expect([refused.status, await refused.json()]).to.deep.include(400);
    expect(relay.spending.last.releases).to.have.length(1);
    expect((await relay.post('/v1/audio/speech', { model: 'characters', input: '' })).status).to.equal(400);
  });
});
