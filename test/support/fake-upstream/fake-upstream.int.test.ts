import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import OpenAI from 'openai';
import { fakeEmbedding, fakePromptTokens, fakeText } from './answer.ts';
import { parseRecord } from './record.ts';
import type { RecordedCall } from './record.ts';
import { modelNamed } from './script.ts';
import type { FakeScript } from './script.ts';
import { startFakeUpstream } from './server.ts';
import type { FakeUpstream } from './server.ts';

const MESSAGES = [{ role: 'user' as const, content: 'What is in the ledger?' }];

describe('the fake provider', () => {
  let upstream: FakeUpstream;
  let client: OpenAI;

  before(async () => {
    upstream = await startFakeUpstream();
    client = new OpenAI({ baseURL: upstream.baseUrl, apiKey: 'sk-fake-1', maxRetries: 0 });
  });
  beforeEach(() => upstream.reset());
  after(() => upstream.close());

  const post = (body: object, init: RequestInit = {}): Promise<Response> =>
    fetch(`${upstream.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-fake-1', 'content-type': 'application/json', ...init.headers },
      body: JSON.stringify({ messages: MESSAGES, ...body }),
      ...(init.signal === undefined ? {} : { signal: init.signal }),
    });
  const plain = (script: FakeScript, extra: object = {}): Promise<Response> => post({ model: modelNamed(script), ...extra });
  const streamed = (script: FakeScript, extra: object = {}): Promise<Response> => plain(script, { stream: true, ...extra });
  const lastCall = (): RecordedCall => upstream.calls.at(-1) as RecordedCall;
  const ended = (): Promise<RecordedCall> => upstream.call((call) => call.outcome !== 'running');

  describe('when all is well', () => {
    it('answers with the promised text and bills what it says', async () => {
      const answer = await client.chat.completions.create({ model: modelNamed({ tokens: 20 }), messages: MESSAGES });
      expect(answer.choices[0]?.message.content).to.equal(fakeText(20));
      expect(answer.choices[0]?.finish_reason).to.equal('stop');
      const prompt = fakePromptTokens(MESSAGES);
      expect(answer.usage).to.include({ prompt_tokens: prompt, completion_tokens: 20, total_tokens: prompt + 20 });
      const call = await ended();
      expect(call).to.include({ id: answer.id, key: 'sk-fake-1', outcome: 'complete', status: 200 });
      expect(call.billed).to.deep.equal({ promptTokens: prompt, completionTokens: 20 });
    });

    it('stops at max_tokens and at max_completion_tokens, per choice', async () => {
      for (const limit of [{ max_tokens: 5 }, { max_completion_tokens: 5 }]) {
        const answer = await client.chat.completions.create({ model: modelNamed({ tokens: 20 }), messages: MESSAGES, n: 2, ...limit });
        expect(answer.choices.map((choice) => [choice.message.content, choice.finish_reason])).to.deep.equal([
          [fakeText(5, 0), 'length'],
          [fakeText(5, 1), 'length'],
        ]);
        expect(answer.usage?.completion_tokens).to.equal(10);
      }
    });

    it('streams the same text, with usage only for those who asked', async () => {
      for (const asked of [true, false]) {
        const stream = await client.chat.completions.create({
          model: modelNamed({ tokens: 7, reasoning: 3 }),
          messages: MESSAGES,
          stream: true,
          ...(asked ? { stream_options: { include_usage: true } } : {}),
        });
        let text = '';
        let completion: number | undefined;
        for await (const chunk of stream) {
          text += chunk.choices[0]?.delta.content ?? '';
          completion = chunk.usage?.completion_tokens ?? completion;
        }
        expect(text).to.equal(fakeText(7));
        expect(completion).to.equal(asked ? 10 : undefined);
        expect(lastCall().billed.completionTokens).to.equal(10);
      }
    });

    it('cuts its writes inside characters, in every line ending, without changing a byte of the text', async () => {
      for (const lineEnd of ['lf', 'crlf', 'cr'] as const) {
        const answer = await streamed({ tokens: 12, split: 1, lineEnd, comments: true });
        const events = (await answer.text()).split(/\r\n|\n|\r/).filter((line) => line.startsWith('data: {'));
        const text = events
          .map((line) => (JSON.parse(line.slice(6)) as OpenAI.ChatCompletionChunk).choices[0]?.delta.content ?? '')
          .join('');
        expect(text).to.equal(fakeText(12));
      }
    });

    it('calls tools', async () => {
      const answer = await client.chat.completions.create({ model: modelNamed({ tools: 2 }), messages: MESSAGES });
      expect(answer.choices[0]?.finish_reason).to.equal('tool_calls');
      const names = (answer.choices[0]?.message.tool_calls ?? []).map((call) => call.type === 'function' && call.function.name);
      expect(names).to.deep.equal(['look_up_0', 'look_up_1']);
      const final = await client.chat.completions.stream({ model: modelNamed({ tools: 2 }), messages: MESSAGES }).finalChatCompletion();
      expect(final.choices[0]?.message.tool_calls).to.have.length(2);
      expect(JSON.parse(JSON.stringify(final.choices[0]?.message.tool_calls?.[1]))).to.have.nested.property(
        'function.arguments',
        '{"page":1,"motto":"一笔"}',
      );
    });

    it('embeds alike as floats and as base64', async () => {
      const input = ['one', '二'];
      const raw = async (encoding_format: 'float' | 'base64'): Promise<{ data: { embedding: unknown }[] }> => {
        const answer = await fetch(`${upstream.baseUrl}/embeddings`, {
          method: 'POST',
          body: JSON.stringify({ model: 'fake-embed', input, dimensions: 16, encoding_format }),
        });
        return (await answer.json()) as { data: { embedding: unknown }[] };
      };
      const floats = (await raw('float')).data.map(({ embedding }) => embedding as number[]);
      const packed = (await raw('base64')).data.map(({ embedding }) => {
        const bytes = Buffer.from(embedding as string, 'base64');
        return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
      });
      expect(packed).to.deep.equal(floats);
      expect(floats).to.deep.equal(input.map((text) => [...fakeEmbedding(text, 16)]));
    });

    it('lists models', async () => {
      const listed = await client.models.list();
      expect(listed.data.map(({ id }) => id)).to.include('fake-small');
    });

    it('waits as long as it is told to before the first byte', async () => {
      const before = performance.now();
      await plain({ latency: 120 });
      expect(performance.now() - before).to.be.at.least(115);
    });

    it('keeps the request bytes as they came', async () => {
      const bytes = '{ "model":"fake-small",  "messages":[], "future_field": 1.50 }';
      await fetch(`${upstream.baseUrl}/chat/completions`, { method: 'POST', body: bytes });
      expect(lastCall().body.toString()).to.equal(bytes);
    });
  });

  describe('told how to behave', () => {
    it('by header, by body and by rule, the later outdoing the earlier', async () => {
      const tokensOf = async (answer: Response): Promise<number> =>
        ((await answer.json()) as OpenAI.ChatCompletion).usage?.completion_tokens ?? -1;
      const header = { headers: { 'x-fake-script': '{"tokens":2}' } };
      expect(await tokensOf(await post({ model: 'fake/tokens=1' }))).to.equal(1);
      expect(await tokensOf(await post({ model: 'fake/tokens=1' }, header))).to.equal(2);
      expect(await tokensOf(await post({ model: 'fake/tokens=1', 'x-fake-script': { tokens: 3 } }, header))).to.equal(3);
      upstream.when({ times: 1 }, { tokens: 4 });
      expect(await tokensOf(await post({ model: 'fake/tokens=1', 'x-fake-script': { tokens: 3 } }, header))).to.equal(4);
      expect(await tokensOf(await post({ model: 'fake/tokens=1' }))).to.equal(1);
    });

    it('per key', async () => {
      upstream.when({ key: 'sk-bad' }, { fail: 'status', status: 401 });
      expect((await post({ model: 'm' }, { headers: { authorization: 'Bearer sk-bad' } })).status).to.equal(401);
      expect((await post({ model: 'm' })).status).to.equal(200);
      expect(upstream.calls.map(({ key }) => key)).to.deep.equal(['sk-bad', 'sk-fake-1']);
    });

    it('to fail a number of times and then go well', async () => {
      const statuses = [];
      for (let i = 0; i < 4; i += 1) statuses.push((await plain({ fail: 'status', status: 503, times: 2 })).status);
      expect(statuses).to.deep.equal([503, 503, 200, 200]);
    });

    it('refuses a wish it does not know', async () => {
      const answer = await post({ model: 'fake/tokns=3' });
      expect(answer.status).to.equal(400);
      expect(await answer.text()).to.include('tokns');
    });
  });

  describe('when it fails', () => {
    it('with an error status, in the shape the SDK knows, and bills nothing', async () => {
      for (const status of [401, 429, 500, 503]) {
        const failure: unknown = await client.chat.completions
          .create({ model: modelNamed({ fail: 'status', status }), messages: MESSAGES })
          .catch((error: unknown) => error);
        expect(failure).to.be.instanceOf(OpenAI.APIError).with.property('status', status);
        expect(lastCall()).to.include({ outcome: 'failed', status });
        expect(lastCall().billed).to.deep.equal({ promptTokens: 0, completionTokens: 0 });
      }
    });

    it('with Retry-After in seconds or as a date', async () => {
      expect((await plain({ fail: 'status', status: 429, retryAfter: 7 })).headers.get('retry-after')).to.equal('7');
      const asked = Date.now();
      const answer = await plain({ fail: 'status', status: 429, retryAfter: 7, retryAs: 'date' });
      // A date of HTTP is of whole seconds.
      expect(Date.parse(answer.headers.get('retry-after') ?? '')).to.be.within(asked + 6_000, Date.now() + 7_000);
    });

    it('by resetting before a byte, in a plain body and in a stream', async () => {
      const codes: unknown[] = [];
      codes.push(await plain({ fail: 'reset' }).catch((error: unknown) => (error as Error & { cause: { code: string } }).cause.code));
      for (const answer of [await plain({ fail: 'reset', after: 1 }), await streamed({ fail: 'reset', after: 3 })]) {
        expect(answer.status).to.equal(200);
        codes.push(await answer.text().catch((error: unknown) => (error as Error & { cause: { code: string } }).cause.code));
      }
      expect(codes[0]).to.equal('ECONNRESET');
      expect(
        codes.slice(1).every((code) => code === 'ECONNRESET' || code === 'UND_ERR_SOCKET'),
        String(codes),
      ).to.equal(true);
      expect(lastCall().billed.completionTokens).to.equal(3);
    });

    it('by ending early, and by forgetting [DONE]', async () => {
      const early = await (await streamed({ fail: 'end_early', after: 2 })).text();
      expect(early).to.not.include('[DONE]');
      expect(early).to.not.include('"finish_reason":"stop"');
      expect(early.match(/"delta":\{"content"/g)).to.have.length(2);
      const undone = await (await streamed({ fail: 'no_done' })).text();
      expect(undone).to.include('"finish_reason":"stop"');
      expect(undone).to.not.include('[DONE]');
      const half = await (await plain({ fail: 'end_early' })).text();
      expect(() => void JSON.parse(half)).to.throw(SyntaxError);
    });

    it('with garbage under status 200', async () => {
      const answer = await plain({ fail: 'garbage', bytes: 64 });
      expect(answer.status).to.equal(200);
      expect((await answer.arrayBuffer()).byteLength).to.equal(64);
      const stream = Buffer.from(await (await streamed({ fail: 'garbage', after: 1 })).arrayBuffer());
      expect(stream.includes(0x83)).to.equal(true);
    });

    it('with an error object under status 200', async () => {
      expect(await (await plain({ fail: 'error_in_200', status: 503 })).json()).to.have.property('error');
      const stream = await client.chat.completions.create({
        model: modelNamed({ fail: 'error_in_200', after: 2 }),
        messages: MESSAGES,
        stream: true,
      });
      let text = '';
      const failure: unknown = await (async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      })().catch((error: unknown) => error);
      expect(text).to.equal(fakeText(2));
      expect(failure).to.be.instanceOf(OpenAI.APIError);
    });

    it('by silence, before or inside a stream, and notes when the caller gives up', async () => {
      const first = new AbortController();
      const pending = post({ model: modelNamed({ fail: 'silence' }) }, { signal: first.signal }).catch(
        (error: unknown) => (error as Error).name,
      );
      await upstream.call((call) => call.n === 1 || call.outcome === 'running');
      first.abort();
      expect(await pending).to.equal('AbortError');
      expect(await ended()).to.include({ outcome: 'client_gone', status: 0 });

      upstream.reset();
      const second = new AbortController();
      const answer = await post({ model: modelNamed({ fail: 'silence', after: 2 }), stream: true }, { signal: second.signal });
      await upstream.call((call) => call.chunks === 3);
      second.abort();
      await answer.text().catch(() => undefined);
      const call = await ended();
      expect(call.outcome).to.equal('client_gone');
      expect(call.billed.completionTokens).to.equal(2);
    });

    it('with one event that does not end', async () => {
      const body = await (await streamed({ fail: 'huge_chunk', after: 1, bytes: 3_000_000 })).text();
      expect(Math.max(...body.split('\n').map((line) => line.length))).to.be.greaterThan(3_000_000);
    });

    it('with usage that is no usage', async () => {
      const usageOf = async (usage: FakeScript['usage']): Promise<Record<string, unknown> | undefined> =>
        ((await (await plain({ usage, tokens: 4 }, { max_tokens: 10 })).json()) as { usage?: Record<string, unknown> }).usage;
      expect(await usageOf('never')).to.equal(undefined);
      expect(await usageOf('negative')).to.have.property('completion_tokens', -4);
      expect(await usageOf('beyond_limit')).to.have.property('completion_tokens', 1100);
      expect(await usageOf('astronomic')).to.have.property('completion_tokens', 1e300);
      expect((await usageOf('fractional'))?.['completion_tokens']).to.equal(4.25);
      const contradictory = await usageOf('contradictory');
      expect(contradictory?.['total_tokens']).to.not.equal(
        Number(contradictory?.['prompt_tokens']) + Number(contradictory?.['completion_tokens']),
      );
      expect(await usageOf('not_a_number')).to.deep.equal({ prompt_tokens: 'NaN', completion_tokens: null, total_tokens: {} });
      expect(await (await plain({ usage: 'literal_nan' })).text()).to.include('"prompt_tokens":NaN');
    });

    it('with headers that come in drops', async () => {
      const answer = await plain({ slowHeaders: 5, tokens: 3 });
      expect(((await answer.json()) as OpenAI.ChatCompletion).choices[0]?.message.content).to.equal(fakeText(3));
    });

    it('with compression nobody asked for', async () => {
      const raw = await new Promise<{ encoding: string | undefined; first: number | undefined }>((resolve, reject) => {
        const call = httpRequest(`${upstream.baseUrl}/chat/completions`, { method: 'POST' }, (answer) => {
          answer.once('data', (chunk: Buffer) => resolve({ encoding: answer.headers['content-encoding'], first: chunk[0] }));
          answer.resume();
        });
        call.once('error', reject);
        call.end(JSON.stringify({ model: modelNamed({ gzip: true }), messages: [] }));
      });
      expect(raw).to.deep.equal({ encoding: 'gzip', first: 0x1f });
    });

    it('by not listening, until it comes back on the same port', async () => {
      await upstream.goAway();
      const refused = await post({ model: 'm' }).catch((error: unknown) => (error as Error & { cause: { code: string } }).cause.code);
      expect(refused).to.equal('ECONNREFUSED');
      await upstream.comeBack();
      expect((await post({ model: 'm' })).status).to.equal(200);
    });
  });

  it('does not hold up a caller that reads slowly, nor buffer for one that does not read', async () => {
    const call = httpRequest(`${upstream.baseUrl}/chat/completions`, { method: 'POST' });
    call.end(JSON.stringify({ model: modelNamed({ tokens: 200_000 }), stream: true, messages: [] }));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    answer.pause();
    expect((await post({ model: 'fake-small' })).status).to.equal(200);
    const stuck = upstream.calls[0] as RecordedCall;
    expect(stuck.outcome).to.equal('running');
    expect(stuck.chunks).to.be.lessThan(200_000);
    answer.destroy();
    expect((await upstream.call(({ n, outcome }) => n === stuck.n && outcome !== 'running')).outcome).to.equal('client_gone');
  });
});

describe('the fake provider as a process', () => {
  it('takes rules over HTTP and leaves its record behind when it is killed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fake-upstream-'));
    const record = join(folder, 'calls.jsonl');
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, 'main.ts'), '--record', record, '--script', '{"tokens":6}'],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { baseUrl, port } = JSON.parse(line) as { baseUrl: string; port: number };
    const control = (path: string, body?: object): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
    const ask = (model: string): Promise<Response> =>
      fetch(`${baseUrl}/chat/completions`, { method: 'POST', body: JSON.stringify({ model, messages: [] }) });

    expect((await ask('a')).status).to.equal(200);
    await control('/__rules', [{ match: { model: 'b' }, script: { fail: 'status', status: 500 } }]);
    expect((await ask('b')).status).to.equal(500);
    const stalled = ask('fake/fail=silence').catch(() => undefined);
    let served = parseRecord(await (await control('/__record')).text());
    while (served.length < 3) served = parseRecord(await (await control('/__record')).text());
    child.kill('SIGKILL');
    await once(child, 'exit');
    await stalled;

    const kept = parseRecord(readFileSync(record, 'utf8'));
    expect(kept.map(({ model, outcome, billed }) => [model, outcome, billed.completionTokens])).to.deep.equal([
      ['a', 'complete', 6],
      ['b', 'failed', 0],
      ['fake/fail=silence', 'running', 0],
    ]);
    rmSync(folder, { recursive: true });
  });

  it('ends with the process that started it', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'main.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.stdin.end();
    expect(await once(child, 'exit')).to.deep.equal([0, null]);
  });
});
