import { expect } from 'chai';
import OpenAI, { toFile } from 'openai';
import type { Money } from '../../../../schemas/money.ts';
import { channel, KEY, startRelay, type RelayHarness } from '../relay-harness.ts';
import { events, json, startEndpointUpstream, type EndpointUpstream } from './endpoint-upstream.ts';
import { priceOfKind } from './priced-models.ts';

const USAGE = {
  input_tokens: 50,
  input_tokens_details: { text_tokens: 10, image_tokens: 40 },
  output_tokens: 1_056,
  total_tokens: 1_106,
};

const OF_WORDS = { ...USAGE, input_tokens: 10, input_tokens_details: { text_tokens: 10, image_tokens: 0 }, total_tokens: 1_066 };

describe('images', () => {
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
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['tokens=gpt-image-1', 'pieces=dall-e-2'] })];
    relay.directory.prices.set('tokens', { ...priceOfKind('image'), model: 'tokens' });
    relay.directory.prices.set('pieces', { model: 'pieces', kind: 'image', rates: { image: 20_000_000n as Money } });
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const charged = () => relay.spending.last.charges[0];
  const held = (): bigint => relay.spending.last.request.amount;
  const picture = () => toFile(Buffer.from('\x89PNG\r\n\r\n--not-a-boundary\0'), 'cat.png', { type: 'image/png' });

  it('are charged by the tokens that are reported, words and pictures apart', async () => {
    upstream.on('/v1/images/generations', json({ created: 1, data: [{ b64_json: 'aGk=' }], usage: OF_WORDS }));
    const { data } = await client.images.generate({ model: 'tokens', prompt: 'a cat', size: '1024x1024', quality: 'medium' });
    expect(data?.[0]?.b64_json).to.equal('aGk=');
    expect(charged()).to.deep.include({ usage: { input: 10, imageOutput: 1_056 }, basis: 'reported' });
    expect(charged()?.call).to.include({ endpoint: 'images', streamed: false });
    expect(JSON.parse(upstream.calls[0]?.body.toString() ?? '')).to.include({ model: 'gpt-image-1' });
    expect((charged()?.computed ?? 0n) <= held()).to.equal(true);
  });

  it('are charged by the piece where the price is, by as many as came', async () => {
    upstream.on('/v1/images/generations', json({ created: 1, data: [{ url: 'a' }, { url: 'b' }] }));
    await client.images.generate({ model: 'pieces', prompt: 'a cat', n: 3 });
    expect(held()).to.equal(60_000_000n);
    expect(charged()).to.deep.include({ usage: { image: 2 }, basis: 'reported', computed: 40_000_000n });
  });

  it('are as many pieces as their size and quality cost, where that is known of the model', async () => {
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['dall-e-3'] })];
    relay.directory.prices.set('dall-e-3', { model: 'dall-e-3', kind: 'image', rates: { image: 40_000_000n as Money } });
    upstream.on('/v1/images/generations', json({ created: 1, data: [{ url: 'a' }] }));
    await client.images.generate({ model: 'dall-e-3', prompt: 'a cat', quality: 'hd', size: '1792x1024' });
    expect(charged()).to.deep.include({ usage: { image: 3 }, basis: 'reported', computed: 120_000_000n });
    expect(relay.spending.last.request.amount >= 120_000_000n).to.equal(true);
  });

  it('are as many pieces as the price says of their size and quality', async () => {
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['painter'] })];
    const pictures = [
      { size: '512x512', pieces: 2 },
      { size: '1024x1024', pieces: 5 },
    ];
    relay.directory.prices.set('painter', { model: 'painter', kind: 'image', rates: { image: 1_000_000n as Money }, pictures });
    upstream.on('/v1/images/generations', json({ created: 1, data: [{ url: 'a' }, { url: 'b' }] }));
    for (const [size, pieces] of [
      [undefined, 2],
      ['1024x1024', 5],
      ['auto', 5],
    ] as const) {
      await client.images.generate({ model: 'painter', prompt: 'a cat', n: 2, ...(size === undefined ? {} : { size }) });
      expect(charged()).to.deep.include({ usage: { image: 2 * pieces }, computed: BigInt(2 * pieces) * 1_000_000n });
      expect(held()).to.equal(BigInt(2 * pieces) * 1_000_000n);
    }
  });

  it('are reckoned by size and quality where nobody says what they took', async () => {
    upstream.on('/v1/images/generations', json({ created: 1, data: [{ url: 'a' }] }));
    await client.images.generate({ model: 'tokens', prompt: 'cat', n: 2, size: '1536x1024', quality: 'high' });
    expect(charged()).to.deep.include({ usage: { input: 3, imageOutput: 12_480 }, basis: 'estimated' });
    expect((charged()?.computed ?? 0n) <= held()).to.equal(true);
  });

  it('come as they are made, the last one when it is paid for', async () => {
    const partial = { type: 'image_generation.partial_image', partial_image_index: 0, b64_json: 'AAAA' };
    const completed = { type: 'image_generation.completed', b64_json: 'BBBB', usage: USAGE };
    upstream.on('/v1/images/generations', events(partial, completed));
    let paid = false;
    relay.spending.chargeDurable = async () => {
      paid = true;
      return null;
    };
    const seen: string[] = [];
    const stream = await client.images.generate({ model: 'tokens', prompt: 'a cat', stream: true, partial_images: 1 });
    for await (const event of stream) {
      seen.push(event.type);
      if (event.type === 'image_generation.completed') expect(paid, 'shown before it was charged').to.equal(true);
    }
    expect(seen).to.deep.equal([partial.type, completed.type]);
    expect(charged()).to.deep.include({ usage: { input: 10, imageInput: 40, imageOutput: 1_056 }, basis: 'reported' });
    expect(charged()?.call).to.include({ endpoint: 'images', streamed: true });
  });

  it('are not shown whole where the charge is not on record', async () => {
    upstream.on('/v1/images/generations', events({ type: 'image_generation.completed', b64_json: 'BBBB', usage: USAGE }));
    relay.spending.chargeDurable = async () => ({ refused: 'log_unavailable', message: 'no log' });
    const response = await relay.post('/v1/images/generations', { model: 'tokens', prompt: 'a cat', stream: true });
    const text = await response.text();
    expect(text).to.contain('log_unavailable').and.not.to.contain('BBBB');
  });

  it('that break off are charged as far as anyone can tell', async () => {
    upstream.on('/v1/images/generations', (res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`data: ${JSON.stringify({ type: 'image_generation.partial_image', b64_json: 'AAAA' })}\n\n`, () => res.destroy());
    });
    const response = await relay.post('/v1/images/generations', { model: 'pieces', prompt: 'a cat', stream: true, partial_images: 1 });
    expect(await response.text())
      .to.contain('AAAA')
      .and.to.contain('upstream_failed');
    expect(charged()).to.deep.include({ usage: { image: 1 }, basis: 'estimated' });
  });

  it('are edited and varied from files, whose bytes nobody touches', async () => {
    upstream.on('/v1/images/edits', json({ created: 1, data: [{ b64_json: 'aGk=' }], usage: USAGE }));
    upstream.on('/v1/images/variations', json({ created: 1, data: [{ url: 'a' }] }));
    const file = await picture();
    await client.images.edit({ model: 'tokens', image: [file, file], prompt: 'a hat' });
    expect(charged()).to.deep.include({ usage: { input: 10, imageInput: 40, imageOutput: 1_056 }, basis: 'reported' });
    expect(charged()?.call.endpoint).to.equal('image_edits');
    await client.images.createVariation({ model: 'pieces', image: file, n: 1 });
    expect(charged()?.call.endpoint).to.equal('image_variations');
    const [edit, variation] = upstream.calls.map(({ headers, body }) =>
      new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type'] ?? '' } }).formData(),
    );
    expect((await edit)?.get('model')).to.equal('gpt-image-1');
    expect((await edit)?.getAll('image[]')).to.have.length(2);
    expect((await variation)?.get('model')).to.equal('dall-e-2');
    const sent = (await variation)?.get('image');
    expect(sent).to.be.instanceOf(File);
    expect(Buffer.from(await (sent as File).arrayBuffer())).to.deep.equal(Buffer.from(await file.arrayBuffer()));
  });

  it('are refused where a form could be read in two ways, or says too little', async () => {
    const formOf = (...fields: readonly (readonly [string, string | Blob])[]): FormData => {
      const form = new FormData();
      for (const [name, value] of fields) form.append(name, value);
      return form;
    };
    const image = ['image', new Blob(['x'])] as const;
    for (const [form, param] of [
      [formOf(['model', 'tokens'], ['model', 'pieces'], image), 'model'],
      [formOf(image), 'model'],
      [formOf(['model', 'tokens']), 'image'],
      [formOf(['model', 'tokens'], ['n', '0'], image), 'n'],
    ] as const) {
      const response = await fetch(`${relay.baseUrl}/images/edits`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}` },
        body: form,
      });
      expect(response.status).to.equal(400);
      expect(await response.json()).to.have.nested.property('error.param', param);
    }
    expect((await relay.post('/v1/images/edits', { model: 'tokens' })).status).to.equal(415);
    expect(relay.spending.reservations).to.have.length(0);
  });

  it('say once what they said once, by their Idempotency-Key', async () => {
    upstream.on('/v1/images/generations', events({ type: 'image_generation.completed', b64_json: 'BBBB', usage: USAGE }));
    const once = (): Promise<string> =>
      relay
        .post('/v1/images/generations', { model: 'tokens', prompt: 'a cat', stream: true }, { headers: { 'idempotency-key': 'one' } })
        .then((response) => response.text());
    expect(await once()).to.equal(await once());
    expect(upstream.calls).to.have.length(1);
    expect(relay.spending.charges).to.have.length(1);
    // A form has another boundary each time that it is sent.
    upstream.on('/v1/images/variations', json({ created: 1, data: [{ url: 'a' }] }));
    const varied = async () =>
      client.images.createVariation({ model: 'pieces', image: await picture() }, { headers: { 'idempotency-key': 'two' } });
    expect(await varied()).to.deep.equal(await varied());
    expect(upstream.calls).to.have.length(2);
  });
});
