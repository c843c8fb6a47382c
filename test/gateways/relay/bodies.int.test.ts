import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { BodyFile, BodyFiles } from '../../../gateways/ports/body-files.ts';
import { bodyFiles } from '../../../infra/bodies/body-files.ts';
import { startAnthropicMock } from '../../support/fake-upstream/anthropic-mock.ts';
import { startGeminiMock } from '../../support/fake-upstream/gemini-mock.ts';
import { jsonReply, startMockServer, type MockServer } from '../../support/fake-upstream/mock-server.ts';
import { channel, chatPrice, KEY, startRelay, type HarnessOptions, type RelayHarness } from './relay-harness.ts';

const KIB = 1024;
const ROOM = { memoryBytes: 4_096 * KIB, diskBytes: 16_384 * KIB, diskFromBytes: 256 * KIB };

/** Counts what is open of them. */
class CountedFiles implements BodyFiles {
  opened = 0;
  stillOpen = 0;
  bytes = 0;
  full = false;
  readonly #files: BodyFiles;

  constructor(files: BodyFiles) {
    this.#files = files;
  }

  async open(): Promise<BodyFile> {
    const file = await this.#files.open();
    this.opened++;
    this.stillOpen++;
    return {
      append: async (bytes) => {
        if (this.full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        this.bytes += bytes.length;
        await file.append(bytes);
      },
      read: (position, length) => file.read(position, length),
      close: async () => {
        this.stillOpen--;
        await file.close();
      },
    };
  }
}

const completion = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Seen.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1_000, completion_tokens: 2, total_tokens: 1_002 },
};

const picture = (bytes: number): string => randomBytes(Math.ceil((bytes * 3) / 4)).toString('base64');
const showing = (...pictures: readonly string[]): string =>
  `{ "model": "m",\n "messages": [{"role":"user","content":[{"type":"text","text":"What is it? \\u00e9"}${pictures
    .map((data) => `,{"type":"image_url","image_url":{"url":"data:image\\/png;base64,${data}"}}`)
    .join('')}]}], "max_tokens": 9 }`;
const sumOf = (body: Buffer | string): string => createHash('sha256').update(body).digest('hex');

describe('a body that is too large for memory', () => {
  let upstream: MockServer;
  let claude: MockServer;
  let gemini: MockServer;
  let directory: string;
  let files: CountedFiles;
  let relay: RelayHarness;

  const start = async (options: HarnessOptions = {}): Promise<void> => {
    files = new CountedFiles(bodyFiles(join(directory, 'bodies')));
    relay = await startRelay({ bodyFiles: files, ...options, limits: { bodyBytes: 8_192 * KIB, bodyRoom: ROOM, ...options.limits } });
    relay.directory.channels = [channel(`${upstream.url}/v1`)];
    relay.directory.prices.set('m', chatPrice('m'));
  };
  const restart = async (options: HarnessOptions): Promise<void> => {
    await relay.close();
    await start(options);
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bodies-'));
    upstream = await startMockServer(() => jsonReply(200, completion));
    claude = await startAnthropicMock();
    gemini = await startGeminiMock();
  });
  after(async () => {
    await rm(directory, { recursive: true, force: true });
    await upstream.close();
    await claude.close();
    await gemini.close();
  });
  beforeEach(async () => {
    for (const { requests, next } of [upstream, claude, gemini]) requests.length = next.length = 0;
    await start();
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    for (let turns = 0; files.stillOpen > 0 && turns < 200; turns++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(files.stillOpen, 'files that are still open').to.equal(0);
    await relay.close();
  });

  it('reaches its upstream as it came, and every other one that is tried', async () => {
    const body = showing(picture(3_000 * KIB), picture(20 * KIB), picture(10));
    upstream.next.push(jsonReply(500, { error: { message: 'no', type: 'server_error' } }));
    relay.directory.channels = [channel(`${upstream.url}/v1`), channel(`${upstream.url}/v1`, { priority: -1 })];
    const answer = await relay.post('/v1/chat/completions', body);
    expect(answer.status).to.equal(200);
    expect(upstream.requests.map((request) => sumOf(request.body))).to.deep.equal([sumOf(body), sumOf(body)]);
    expect(upstream.requests[1]?.headers['content-length']).to.equal(String(Buffer.byteLength(body)));
    expect(files.opened).to.equal(1);
    expect(files.bytes).to.be.within(3_000 * KIB - 20 * KIB, 3_020 * KIB);
  });

  it('lies in a file that has no name and that is nobody else’s to read', async () => {
    const seen: [number, readonly string[]][] = [];
    upstream.next.push(jsonReply(200, completion));
    const plain = files.open.bind(files);
    files.open = async () => {
      const file = await plain();
      const path = join(directory, 'bodies');
      seen.push([(await stat(path)).mode & 0o777, await readdir(path)]);
      return file;
    };
    await relay.post('/v1/chat/completions', showing(picture(1_000 * KIB)));
    expect(seen).to.deep.equal([[0o700, []]]);
  });

  it('is changed where it has to be, and said in other dialects', async () => {
    const data = picture(1_000 * KIB);
    relay.directory.channels = [channel(`${upstream.url}/v1`, { models: ['m=theirs'] })];
    await relay.post('/v1/chat/completions', showing(data));
    expect(sumOf(upstream.requests[0]?.body ?? '')).to.equal(sumOf(showing(data).replace('"m"', '"theirs"')));

    relay.directory.channels = [channel(`${claude.url}/v1`, { provider: 'anthropic' })];
    const said = await relay.post('/v1/chat/completions', showing(data));
    expect(said.status).to.equal(200);
    expect(JSON.stringify(claude.requests[0]?.json)).to.include(`"data":"${data}"`);

    relay.directory.channels = [channel(`${gemini.url}/v1beta`, { provider: 'gemini' })];
    const messages = [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data } }] }];
    expect((await relay.post('/v1/messages', { model: 'm', max_tokens: 9, messages })).status).to.equal(200);
    expect(JSON.stringify(gemini.requests[0]?.json)).to.include(`"data":"${data}"`);

    const contents = [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data } }] }];
    const native = JSON.stringify({ contents });
    expect((await relay.post('/v1beta/models/m:generateContent', native)).status).to.equal(200);
    expect(sumOf(gemini.requests[1]?.body ?? '')).to.equal(sumOf(native));
  });

  it('holds what its pictures may cost, and for text that looks like one as much as for text', async () => {
    const data = picture(1_000 * KIB);
    const amount = async (body: string | object): Promise<number> => {
      await relay.post('/v1/chat/completions', body);
      return Number(relay.spending.last.request.amount);
    };
    const small = await amount(showing(picture(100)));
    const large = await amount(showing(data));
    expect(large - small).to.be.within(0, 1_000_000);
    expect(await amount({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: data }] })).to.be.greaterThan(data.length * 2_000);
  });

  it('may come packed', async () => {
    const body = showing(picture(2_000 * KIB), 'A'.repeat(2_000 * KIB));
    const headers = { authorization: 'Bearer sk-obl-test', 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const answer = await fetch(`${relay.baseUrl}/chat/completions`, { method: 'POST', headers, body: gzipSync(body) });
    expect(answer.status).to.equal(200);
    expect(sumOf(upstream.requests[0]?.body ?? '')).to.equal(sumOf(body));
    const bomb = await fetch(`${relay.baseUrl}/chat/completions`, { method: 'POST', headers, body: gzipSync(' '.repeat(9_000 * KIB)) });
    expect(bomb.status).to.equal(413);
  });

  it('is known again by its Idempotency-Key', async () => {
    const body = showing(picture(1_000 * KIB));
    const headers = { 'idempotency-key': 'once' };
    const first = await relay.post('/v1/chat/completions', body, { headers });
    const again = await relay.post('/v1/chat/completions', body, { headers });
    expect([first.status, again.status, again.headers.get('x-oblivious-replayed')]).to.deep.equal([200, 200, 'true']);
    const other = await relay.post('/v1/chat/completions', showing(picture(1_000 * KIB)), { headers });
    expect(other.status).to.equal(409);
    expect(upstream.requests).to.have.length(1);
  });

  it('keeps documents of text, which are read on their way', async () => {
    const text = 'lines without an end '.repeat(30 * KIB);
    const file = { filename: 'a.txt', file_data: `data:text/plain;base64,${Buffer.from(text).toString('base64')}` };
    relay.directory.channels = [channel(`${claude.url}/v1`, { provider: 'anthropic' })];
    const content = [{ type: 'file', file }];
    const body = JSON.stringify({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content }] });
    for (const said of [body, body.replace('text/plain', 'text\\/plain'), body.replace('text/plain', 'application/json')]) {
      claude.requests.length = 0;
      expect((await relay.post('/v1/chat/completions', said)).status).to.equal(200);
      expect(JSON.stringify(claude.requests[0]?.json)).to.include(text.slice(0, 20_000));
    }
  });

  it('is refused when it is larger than any, when there is no room, and when the disk takes no more; and what was taken is given back', async () => {
    const refusal = async (body: string): Promise<readonly [number, string]> => {
      const answer = await relay.post('/v1/chat/completions', body);
      return [answer.status, ((await answer.json()) as { error: { code: string } }).error.code];
    };
    expect(await refusal(showing(picture(9_000 * KIB)))).to.deep.equal([413, 'body_too_large']);
    files.full = true;
    expect(await refusal(showing(picture(1_000 * KIB)))).to.deep.equal([503, 'bodies_full']);
    files.full = false;
    await restart({ limits: { bodyRoom: { ...ROOM, diskBytes: 1_500 * KIB } } });
    expect(await refusal(showing(picture(2_000 * KIB)))).to.deep.equal([503, 'bodies_full']);
    // Twice as much as there is room for, one after the other.
    for (let turn = 0; turn < 3; turn++)
      expect((await relay.post('/v1/chat/completions', showing(picture(1_000 * KIB)))).status).to.equal(200);
    await restart({ limits: { bodyRoom: { ...ROOM, memoryBytes: 500 * KIB } } });
    const words = JSON.stringify({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'word '.repeat(200 * KIB) }] });
    expect(await refusal(words)).to.deep.equal([503, 'bodies_full']);
    expect((await relay.post('/v1/chat/completions', showing(picture(1_000 * KIB)))).status).to.equal(200);
    expect(relay.spending.reservations).to.have.length(1);
  });

  it('is refused when it is more values than can be parsed in a moment, wherever it is sent', async () => {
    const many = `[${'{},'.repeat(200_000)}1]`;
    for (const [address, body] of [
      ['/v1/chat/completions', `{"model":"m","messages":[{"role":"user","content":"a"}],"x":${many}}`],
      ['/v1/embeddings', `{"model":"m","input":"a","x":${many}}`],
      ['/v1/messages', `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],"x":${many}}`],
      ['/v1/responses', `{"model":"m","input":"a","x":${many}}`],
      ['/v1/messages/count_tokens', `{"model":"m","messages":[{"role":"user","content":"a"}],"x":${many}}`],
      ['/v1beta/models/m:generateContent', `{"contents":[{"parts":[{"text":"a"}]}],"x":${many}}`],
    ] as const)
      expect((await relay.post(address, body)).status, address).to.equal(413);
    expect(upstream.requests).to.have.length(0);
  });

  it('takes room for what it is parsed to, and where it is only counted too', async () => {
    await restart({ limits: { bodyRoom: { ...ROOM, memoryBytes: 500 * KIB } } });
    const messages = [{ role: 'user', content: 'a' }];
    const small = { model: 'm', max_tokens: 9, messages };
    const parts = { ...small, metadata: Array.from({ length: 30_000 }, () => ({})) };
    const words = { ...small, messages: [{ role: 'user', content: 'word '.repeat(200 * KIB) }] };
    for (const [address, body, status] of [
      ['/v1/chat/completions', parts, 503],
      ['/v1/messages/count_tokens', parts, 503],
      ['/v1/messages/count_tokens', words, 503],
      // What was taken was given back.
      ['/v1/messages/count_tokens', small, 200],
      ['/v1/chat/completions', small, 200],
    ] as const)
      expect((await relay.post(address, body)).status, `${address} ${JSON.stringify(body).length}`).to.equal(status);
  });

  it('is still taken in, and dropped, by a connection that has refused it: one that is reset would lose the answer', async () => {
    const rest = 9_000 * KIB;
    for (const [said, key] of [
      ['HTTP/1.1 413 ', KEY],
      ['HTTP/1.1 401 ', 'nobody'],
    ] as const) {
      const socket = connect(Number(new URL(relay.url).port), '127.0.0.1');
      let answer = '';
      const answered = new Promise<void>((resolve) => {
        socket.on('data', (chunk) => {
          answer += chunk.toString();
          if (answer.endsWith('}')) resolve();
        });
      });
      const ended = new Promise<Error | null>((resolve) => {
        socket.once('error', resolve);
        socket.once('end', () => resolve(null));
      });
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${rest}\r\n\r\n`,
      );
      await answered;
      expect(answer)
        .to.include(said)
        .and.match(/connection: close/i);
      socket.write(Buffer.alloc(rest, ' '));
      expect(await ended, said).to.equal(null);
    }
  });
});
