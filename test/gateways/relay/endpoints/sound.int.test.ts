import { createServer, request, type ClientRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import OpenAI, { toFile } from 'openai';
import type { Money } from '../../../../schemas/money.ts';
import { channel, KEY, startRelay, type RelayHarness } from '../relay-harness.ts';
import { events, json, startEndpointUpstream, type Answering, type EndpointUpstream, type UpstreamCall } from './endpoint-upstream.ts';

const PATH = '/v1/audio/transcriptions';
const BOUNDARY = 'cut-here';
const field = (name: string, value: string, filename = ''): string =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename === '' ? '' : `; filename="${filename}"`}\r\n\r\n${value}\r\n`;
const END = `--${BOUNDARY}--\r\n`;

const text =
  (body: string, type = 'text/plain; charset=utf-8'): Answering =>
  (res) => {
    res.writeHead(200, { 'content-type': type });
    res.end(body);
  };

/** Two seconds of silence, 16 bits at 8 000 a second. */
const wav = (): Buffer => {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  return Buffer.concat([head, Buffer.alloc(32_000)]);
};

describe('words from sound', () => {
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
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['seconds=whisper-1', 'tokens=gpt-4o-transcribe'] })];
    relay.directory.prices.set('seconds', { model: 'seconds', kind: 'transcription', rates: { second: 100_000n as Money } });
    relay.directory.prices.set('tokens', {
      model: 'tokens',
      kind: 'transcription',
      rates: { input: 1_000_000_000n as Money, audioInput: 2_000_000_000n as Money, output: 5_000_000_000n as Money },
      maxOutputTokens: 2_000,
    });
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const charged = () => relay.spending.last.charges[0];
  const formIn = ({ headers, body }: UpstreamCall): Promise<FormData> =>
    new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type'] ?? '' } }).formData();

  it('are charged by the second that the upstream reports, wherever the form names its model', async () => {
    upstream.on(PATH, json({ text: 'hello', usage: { type: 'duration', seconds: 8.2 } }));
    const file = await toFile(wav(), 'hello.wav', { type: 'audio/wav' });
    for (const ask of [
      { file, model: 'seconds' },
      { model: 'seconds', file, language: 'en' },
    ]) {
      expect((await client.audio.transcriptions.create(ask)).text).to.equal('hello');
      expect(charged()).to.deep.include({ usage: { second: 9 }, basis: 'reported', computed: 900_000n });
      const form = await formIn(upstream.calls.at(-1) as UpstreamCall);
      expect(form.get('model')).to.equal('whisper-1');
      expect(Buffer.from(await (form.get('file') as File).arrayBuffer())).to.deep.equal(wav());
    }
    expect(charged()?.call).to.include({ endpoint: 'transcriptions', streamed: false });
    upstream.on('/v1/audio/translations', json({ task: 'translate', duration: 3, text: 'hello' }));
    await client.audio.translations.create({ file, model: 'seconds', response_format: 'verbose_json' });
    expect(charged()).to.deep.include({ usage: { second: 3 }, basis: 'reported' });
    expect(charged()?.call.endpoint).to.equal('translations');
  });

  it('are charged by tokens where the price is, streamed too', async () => {
    const usage = {
      type: 'tokens',
      input_tokens: 30,
      input_token_details: { text_tokens: 5, audio_tokens: 25 },
      output_tokens: 4,
      total_tokens: 34,
    };
    const file = await toFile(wav(), 'hello.wav');
    upstream.on(PATH, json({ text: 'hello', usage }));
    await client.audio.transcriptions.create({ model: 'tokens', file });
    expect(charged()).to.deep.include({ usage: { audioInput: 25, input: 5, output: 4 }, basis: 'reported' });

    upstream.on(PATH, events({ type: 'transcript.text.delta', delta: 'hel' }, { type: 'transcript.text.done', text: 'hello', usage }));
    const seen: string[] = [];
    for await (const event of await client.audio.transcriptions.create({ model: 'tokens', file, stream: true })) seen.push(event.type);
    expect(seen).to.deep.equal(['transcript.text.delta', 'transcript.text.done']);
    expect(charged()).to.deep.include({ usage: { audioInput: 25, input: 5, output: 4 }, basis: 'reported' });
    expect(charged()?.call.streamed).to.equal(true);
  });

  it('are passed on in whatever form they come, and reckoned where nothing says how long the sound was', async () => {
    const file = await toFile(wav(), 'hello.wav');
    const srt = '1\n00:00:00,000 --> 00:00:04,250\nhello\n\n2\n00:00:04,500 --> 00:01:02,100\nthere\n';
    upstream.on(PATH, text(srt));
    expect(await client.audio.transcriptions.create({ model: 'seconds', file, response_format: 'srt' })).to.equal(srt);
    expect(charged()).to.deep.include({ usage: { second: 63 }, basis: 'estimated' });
    upstream.on(PATH, text('hello'));
    const response = await client.audio.transcriptions.create({ model: 'seconds', file, response_format: 'text' }).asResponse();
    expect(response.headers.get('content-type')).to.contain('text/plain');
    // Its own head says that two seconds are 32 000 bytes; the form around them is some more.
    expect(charged()).to.deep.include({ usage: { second: 3 }, basis: 'estimated' });
    await client.audio.transcriptions.create({ model: 'tokens', file, response_format: 'text' });
    expect(charged()).to.deep.include({ usage: { audioInput: 30, output: 5 }, basis: 'estimated' });
    expect((charged()?.computed ?? 0n) <= relay.spending.last.hold.amount).to.equal(true);
  });

  it('say once what they said once, by their Idempotency-Key', async () => {
    upstream.on(PATH, json({ text: 'hello', usage: { type: 'duration', seconds: 1 } }));
    const once = async () =>
      client.audio.transcriptions.create({ model: 'seconds', file: await toFile(wav(), 'a.wav') }, { headers: { 'idempotency-key': 'k' } });
    expect(await once()).to.deep.equal(await once());
    expect(upstream.calls).to.have.length(1);
  });

  it('are refused where the form is none, or names no model, or has no file', async () => {
    for (const [body, param] of [
      [field('file', 'x', 'a.mp3') + END, 'model'],
      [field('model', 'seconds') + END, 'file'],
      [field('model', 'seconds') + field('model', 'tokens') + field('file', 'x', 'a.mp3') + END, 'model'],
      [`x${field('model', 'seconds')}${END}`, null],
    ] as const) {
      const response = await relay.post(PATH, body, { headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` } });
      expect([response.status, ((await response.json()) as { error: { param: string | null } }).error.param]).to.deep.equal([400, param]);
    }
    expect((await relay.post(PATH, { model: 'seconds' })).status).to.equal(415);
    expect(upstream.calls).to.have.length(0);
  });

  describe('while they are uploaded', () => {
    let server: Server;
    let first: Promise<void>;
    let aborted: Promise<void>;
    let received: number;
    let answer: (() => void) | null;

    beforeEach(async () => {
      received = 0;
      let heardFirst: () => void = () => undefined;
      let heardAbort: () => void = () => undefined;
      first = new Promise((resolve) => (heardFirst = resolve));
      aborted = new Promise((resolve) => (heardAbort = resolve));
      answer = null;
      server = createServer((req, res) => {
        req.on('data', (chunk: Buffer) => {
          received += chunk.length;
          heardFirst();
        });
        req.on('error', heardAbort);
        const done = (): void => {
          res.writeHead(200, { 'content-type': 'application/json' });
          res.end(JSON.stringify({ text: 'hello', usage: { type: 'duration', seconds: 5 } }));
        };
        if (answer === null) req.on('end', done);
        else answer();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      relay.directory.channels = [
        channel(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, { models: ['seconds=whisper-1'], priority: 2 }),
        channel(upstream.baseUrl, { models: ['seconds'], priority: 1 }),
      ];
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    const begin = (length: number | null): { readonly req: ClientRequest; readonly status: Promise<number> } => {
      const req = request(`${relay.url}${PATH}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${KEY}`,
          'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
          ...(length === null ? {} : { 'content-length': length }),
        },
      });
      const status = new Promise<number>((resolve, reject) => {
        req.on('error', reject);
        req.on('response', (res) => {
          res.resume();
          res.on('end', () => resolve(res.statusCode ?? 0));
        });
      });
      return { req, status };
    };
    const OPENING = field('model', 'seconds') + field('file', '', 'a.mp3').slice(0, -2);
    const CLOSING = `\r\n${END}`;

    it('go on as they come, of known length and of none', async () => {
      for (const known of [true, false]) {
        const rest = 'x'.repeat(200_000);
        const { req, status } = begin(known ? OPENING.length + rest.length + CLOSING.length : null);
        req.write(OPENING);
        await first;
        req.end(rest + CLOSING);
        expect(await status).to.equal(200);
      }
      expect(received).to.be.greaterThan(400_000);
      expect(charged()).to.deep.include({ usage: { second: 5 } });
    });

    it('end with their client, at nobody’s cost', async () => {
      const { req, status } = begin(null);
      status.catch(() => undefined);
      req.write(OPENING);
      await first;
      req.destroy();
      await aborted;
      await relay.idle();
      expect(relay.spending.last.releases[0]).to.include({ reason: 'client_left', reconcile: false });
      expect(upstream.calls).to.have.length(0);
    });

    it('end where the rest is no form, or names another model', async () => {
      for (const rest of [`\r\n${field('model', 'tokens')}${END}`, 'cut short']) {
        const { req, status } = begin(null);
        req.write(OPENING);
        await first;
        req.end(rest);
        expect(await status).to.equal(400);
      }
      await relay.idle();
      expect(relay.spending.charges).to.have.length(0);
    });

    it('are asked of another channel only as long as all of it is held', async () => {
      upstream.on(PATH, json({ text: 'hello', usage: { type: 'duration', seconds: 5 } }));
      // Something that is not held was sent when the first channel fails.
      answer = () => undefined;
      const { req, status } = begin(null);
      req.write(OPENING);
      await first;
      req.write('x'.repeat(100_000));
      while (received < 100_000) await new Promise(setImmediate);
      server.closeAllConnections();
      req.end(CLOSING);
      expect(await status).to.equal(502);
      expect(upstream.calls).to.have.length(0);
      // Nobody listens: nothing was sent.
      await new Promise((resolve) => server.close(resolve));
      const again = begin(null);
      again.req.end(OPENING + CLOSING);
      expect(await again.status).to.equal(200);
      expect(upstream.calls).to.have.length(1);
    });
  });
});
