import { inflateSync } from 'node:zlib';
import { expect } from 'chai';
import OpenAI, { toFile } from 'openai';
import { pictureSize } from '../../../domain/tokens/picture-size.ts';
import { paint } from '../../../gateways/sandbox/picture.ts';
import { sandboxPrices } from '../../../gateways/sandbox/prices.ts';
import { startSandbox, type Sandbox } from '../../../gateways/sandbox/sandbox-server.ts';
import { hear, speak } from '../../../gateways/sandbox/sound.ts';
import type { Usage } from '../../../schemas/usage.ts';
import { channel, KEY, startRelay, type RelayHarness } from '../relay/relay-harness.ts';

describe('the sandbox, asked through the relay for more than chats', () => {
  let sandbox: Sandbox;
  let relay: RelayHarness;
  let client: OpenAI;

  before(async () => {
    sandbox = await startSandbox();
    relay = await startRelay({ sandboxUrl: () => sandbox.baseUrl });
    relay.directory.channels = [
      channel('http://sandbox.invalid/v1', { provider: 'sandbox', keys: [], models: sandboxPrices.map(({ model }) => model) }),
    ];
    for (const price of sandboxPrices) relay.directory.prices.set(price.model, price);
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });

  after(async () => {
    await relay.close();
    await sandbox.close();
  });

  const charged = (): { readonly usage: Usage; readonly basis: string } | undefined => {
    const last = relay.spending.charges.at(-1);
    return last === undefined ? undefined : { usage: last.usage, basis: last.basis };
  };

  it('paints what can be looked at, of the size asked for, charged by it', async () => {
    const ask = (prompt: string, size: '256x256' | '1792x1024') => client.images.generate({ model: 'sandbox-image', prompt, size });
    const [one, same, other] = [await ask('a cat', '256x256'), await ask('a cat', '256x256'), await ask('a dog', '256x256')];
    expect(charged()).to.deep.equal({ usage: { image: 1 }, basis: 'reported' });
    expect(one.data?.[0]?.b64_json).to.equal(same.data?.[0]?.b64_json).and.not.to.equal(other.data?.[0]?.b64_json);
    expect(pictureSize(Buffer.from(one.data?.[0]?.b64_json ?? '', 'base64'))).to.deep.equal({ width: 256, height: 256 });
    await ask('a cat', '1792x1024');
    expect(charged()?.usage).to.deep.equal({ image: 6 });
    const types: string[] = [];
    const stream = await client.images.generate({
      model: 'sandbox-image',
      prompt: 'a cat',
      size: '512x512',
      stream: true,
      partial_images: 1,
    } as never);
    for await (const event of stream as unknown as AsyncIterable<{ readonly type: string }>) types.push(event.type);
    expect(types).to.deep.equal(['image_generation.partial_image', 'image_generation.completed']);
    expect(charged()).to.deep.equal({ usage: { image: 2 }, basis: 'reported' });
  });

  it('edits and varies a picture', async () => {
    const image = await toFile(paint('a cat', 16, 16), 'cat.png', { type: 'image/png' });
    const edited = await client.images.edit({ model: 'sandbox-image', image, prompt: 'with a hat', size: '256x256' });
    const varied = await client.images.createVariation({ model: 'sandbox-image', image, size: '256x256' });
    expect(edited.data?.[0]?.b64_json).to.be.a('string').and.not.to.equal(varied.data?.[0]?.b64_json);
    expect(charged()).to.deep.equal({ usage: { image: 1 }, basis: 'reported' });
  });

  it('speaks, and hears what it said', async () => {
    const words = 'Every ship was counted twice; größer, 船.';
    const spoken = await client.audio.speech.create({ model: 'sandbox-speech', voice: 'alloy', input: words });
    const sound = Buffer.from(await spoken.arrayBuffer());
    expect(spoken.headers.get('content-type')).to.equal('audio/wav');
    expect(charged()).to.deep.equal({ usage: { character: [...words].length }, basis: 'reported' });
    const file = await toFile(sound, 'said.wav');
    const heard = await client.audio.transcriptions.create({ model: 'sandbox-transcription', file });
    expect(heard.text).to.equal(words);
    expect(charged()).to.deep.equal({ usage: { second: 2 }, basis: 'reported' });
    const translated = await client.audio.translations.create({ model: 'sandbox-transcription', file, response_format: 'srt' });
    expect(translated).to.include('00:00:00,000 --> 00:00:01,').and.include(words);
  });

  it('judges by a few words', async () => {
    const { results } = await client.moderations.create({ model: 'sandbox-moderation', input: ['a fine day', 'he attacks the castle'] });
    expect(results.map(({ flagged }) => flagged)).to.deep.equal([false, true]);
    expect(results[1]?.categories.violence).to.equal(true);
    expect(charged()).to.have.property('basis', 'estimated');
  });

  it('puts documents in order by the words that they share with the query', async () => {
    const answer = await relay.post('/v1/rerank', {
      model: 'sandbox-rerank',
      query: 'ships in the harbour',
      documents: ['a recipe for bread', 'the harbour counts its ships', { text: 'ships' }],
      top_n: 2,
      return_documents: true,
    });
    const { results } = (await answer.json()) as { readonly results: readonly { readonly index: number; readonly document?: unknown }[] };
    expect(results.map(({ index }) => index)).to.deep.equal([1, 2]);
    expect(results[0]?.document).to.deep.equal({ text: 'the harbour counts its ships' });
    expect(charged()).to.have.property('basis', 'reported');
  });

  it('answers in the words of the Responses API', async () => {
    const response = await client.responses.create({ model: 'sandbox-echo', input: 'one two three' });
    expect(response.output_text).to.equal('one two three');
    expect(charged()?.usage).to.have.property('output', 3);
  });

  it('says in its own name what it does not do', async () => {
    for (const asking of [
      () => client.images.generate({ model: 'sandbox-image', prompt: 'x', n: 11 }),
      () => client.audio.speech.create({ model: 'sandbox-speech', voice: 'alloy', input: 'x'.repeat(5_000) }),
    ]) {
      const error = (await asking().catch((caught: unknown) => caught)) as { readonly status: number; readonly message: string };
      expect(error.status).to.equal(400);
      expect(error.message).to.include('[sandbox]');
    }
    const strange = await fetch(`${sandbox.baseUrl}/audio/transcriptions`, { method: 'POST', body: 'no form' });
    expect(strange.status).to.equal(400);
    expect((await fetch(`${sandbox.baseUrl}/moderations`, { method: 'POST', body: '{' })).status).to.equal(400);
  });
});

describe('what the sandbox makes', () => {
  it('is a PNG that unpacks to as many lines as it says', () => {
    const png = paint('x', 20, 10);
    const at = png.indexOf('IDAT');
    expect(inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)))).to.have.length(21 * 10);
  });

  it('is a sound that says of itself how long it is', () => {
    const wav = speak('four');
    expect(wav.readUInt32LE(4)).to.equal(wav.length - 8);
    expect(hear(wav)).to.have.property('text', 'four');
    expect(hear(Buffer.from('no sound at all')))
      .to.have.property('text')
      .that.includes('nobody says anything');
  });
});
