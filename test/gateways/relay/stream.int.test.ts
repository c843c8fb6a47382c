import { once } from 'node:events';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { fakePromptTokens, fakeText, fakeTokens } from '../../support/fake-upstream/answer.ts';
import type { FakeScript } from '../../support/fake-upstream/script.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, KEY, startRelay, type HarnessOptions, type RelayHarness } from './relay-harness.ts';

const MESSAGES = [{ role: 'user', content: 'What is in the ledger?' }];
const PROMPT = fakePromptTokens(MESSAGES);

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
  readonly usage?: {
    readonly completion_tokens: number;
    readonly prompt_tokens: number;
    readonly cost?: string;
    readonly estimated?: boolean;
  } | null;
  readonly error?: { readonly code: string | null };
}

const chunksOf = (text: string): readonly Chunk[] =>
  text
    .split(/\r\n|\n|\r/)
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Chunk);
const textOf = (text: string): string =>
  chunksOf(text)
    .map(({ choices }) => choices?.[0]?.delta.content ?? '')
    .join('');
const errorsOf = (text: string): readonly (string | null)[] =>
  chunksOf(text).flatMap(({ error }) => (error === undefined ? [] : [error.code]));

describe('a stream', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;

  const start = async (options: HarnessOptions = {}): Promise<void> => {
    relay = await startRelay(options);
    relay.directory.channels = [channel(upstream.baseUrl)];
    relay.directory.prices.set('m', chatPrice('m'));
  };
  const restart = async (options: HarnessOptions): Promise<void> => {
    await relay.close();
    await start(options);
  };

  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    await start();
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const chat = (script: FakeScript, more: object = {}): Promise<Response> => {
    upstream.when({}, script);
    return relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES, stream: true, ...more });
  };
  const streamed = async (script: FakeScript, more: object = {}): Promise<string> => (await chat(script, more)).text();
  const asked = { stream_options: { include_usage: true } };

  /** A stream whose reading is in the test's hands. */
  const open = async (script: FakeScript, more: object = {}): Promise<{ req: ClientRequest; res: IncomingMessage }> => {
    upstream.when({}, script);
    const req = httpRequest(`${relay.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    });
    req.on('error', () => undefined);
    req.end(JSON.stringify({ model: 'm', messages: MESSAGES, stream: true, ...more }));
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    res.on('error', () => undefined);
    return { req, res };
  };
  const readUntil = async (res: IncomingMessage, wanted: (text: string) => boolean): Promise<string> => {
    let text = '';
    while (!wanted(text)) {
      const chunk = res.read() as Buffer | null;
      if (chunk === null) await once(res, 'readable');
      else text += chunk.toString();
    }
    return text;
  };

  describe('that goes well', () => {
    it('comes through as it was sent, cut in whatever way and with whatever line ends', async () => {
      for (const script of [
        {},
        { split: 1 },
        { split: 7 },
        { lineEnd: 'crlf' },
        { lineEnd: 'crlf', split: 3 },
        { lineEnd: 'cr', split: 5 },
        { comments: true },
        { chunk: 4 },
        { reasoning: 3 },
        { tools: 2 },
        { choices: 2 },
      ] as const) {
        upstream.reset();
        const text = await streamed({ tokens: 40, ...script });
        await relay.idle();
        const body = upstream.calls[0]?.body.toString() ?? '';
        const direct = await (
          await fetch(`${upstream.baseUrl}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
        ).text();
        const normal = (stream: string): string =>
          stream.replace(/chatcmpl-fake-\d+/g, 'id').replace(/data: \{[^\r\n]*"choices":\[\][^\r\n]*[\r\n]+/, '');
        expect(normal(text), JSON.stringify(script)).to.equal(normal(direct));
        expect(relay.spending.last.charges[0]?.basis, JSON.stringify(script)).to.equal('reported');
      }
    });

    it('carries usage with its cost for those who asked, as the last chunk before the end', async () => {
      const text = await streamed({ tokens: 20 }, asked);
      const chunks = chunksOf(text);
      const { usage, choices } = chunks[chunks.length - 1] as Chunk;
      expect(choices).to.deep.equal([]);
      const computed = relay.spending.charges[0]?.computed ?? 0n;
      expect(usage).to.deep.include({ prompt_tokens: PROMPT, completion_tokens: 20, cost: (Number(computed) / 1e9).toString() });
      expect(text.endsWith('data: [DONE]\n\n')).to.equal(true);
      expect(computed).to.equal(BigInt(PROMPT) * 2_000n + 20n * 8_000n);
    });

    it('asks the upstream for usage all the same, and keeps it from those who did not', async () => {
      const text = await streamed({ tokens: 20 });
      expect((JSON.parse(upstream.calls[0]?.body.toString() ?? '') as { stream_options: unknown }).stream_options).to.deep.equal({
        include_usage: true,
      });
      expect(chunksOf(text).filter(({ usage }) => usage !== null && usage !== undefined)).to.have.length(0);
      expect(textOf(text)).to.equal(fakeText(20));
      expect(relay.spending.charges[0]?.usage).to.deep.equal({ input: PROMPT, output: 20 });
    });

    it('has its headers, and says when its first byte went out', async () => {
      const response = await chat({});
      await response.text();
      expect(response.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
      expect(response.headers.get('x-oblivious-channel')).to.match(/^chn_/);
      expect(response.headers.get('x-request-id')).to.match(/^req_/);
      await relay.idle();
      expect(relay.spending.charges[0]?.call).to.deep.include({ streamed: true, status: 200 });
      expect(relay.spending.charges[0]?.call.firstByteMs).to.be.a('number');
    });

    it('passes each token on as it comes', async () => {
      const { res } = await open({ tokens: 3, interval: 60_000 });
      const text = await readUntil(res, (seen) => seen.includes('"role":"assistant"'));
      expect(text).not.to.contain('finish_reason":"stop"');
      res.destroy();
      await upstream.call((call) => call.outcome === 'client_gone');
    });
  });

  describe('without a word on what it took', () => {
    it('is charged by a count of prompt and answer, and says that it is an estimate', async () => {
      const text = await streamed({ tokens: 20, usage: 'never' }, asked);
      const [charge] = relay.spending.charges;
      // The harness counts a token for each character.
      expect(charge?.usage['output']).to.equal(fakeText(20).length);
      expect(charge?.basis).to.equal('estimated');
      const usage = chunksOf(text).at(-1)?.usage;
      expect(usage).to.deep.include({ completion_tokens: fakeText(20).length, estimated: true });
      expect(usage?.cost).to.be.a('string');
      expect(text.endsWith('data: [DONE]\n\n')).to.equal(true);
    });

    it('counts all of a long answer, whatever was folded away meanwhile', async () => {
      await restart({ limits: { uncountedBytes: 2_000 } });
      await streamed({ tokens: 3_000, usage: 'never', split: 501 });
      await relay.idle();
      expect(relay.spending.charges[0]?.usage['output']).to.equal(fakeText(3_000).length);
    });

    it('is charged the hold, and flagged, where the word cannot be true', async () => {
      for (const usage of ['negative', 'fractional', 'not_a_number', 'literal_nan', 'astronomic'] as const) {
        upstream.reset();
        const text = await streamed({ tokens: 5, usage }, { max_tokens: 50, ...asked });
        await relay.idle();
        const { charges, hold } = relay.spending.last;
        expect([charges[0]?.basis, charges[0]?.computed], usage).to.deep.equal(['held', hold.amount]);
        expect(charges[0]?.usage, usage).to.deep.equal({});
        expect(textOf(text), usage).to.equal(fakeText(5));
        expect(text, usage).to.match(/\[DONE\]\n\n$/);
        expect(relay.lines.at(-1)?.detail, usage).to.match(/cannot be true/);
      }
    });

    it('believes parts that contradict their total, and totals beyond the limit', async () => {
      await streamed({ tokens: 5, usage: 'contradictory' });
      await relay.idle();
      expect(relay.spending.last.charges[0]).to.deep.include({ basis: 'reported', usage: { input: PROMPT, output: 5 } });
    });
  });

  describe('that breaks off', () => {
    const BROKEN: readonly { readonly script: FakeScript; readonly code: string | null; readonly produced: number }[] = [
      { script: { fail: 'reset', after: 3 }, code: 'upstream_failed', produced: 3 },
      { script: { fail: 'end_early', after: 3 }, code: 'upstream_failed', produced: 3 },
      { script: { fail: 'error_in_200', after: 3 }, code: null, produced: 3 },
    ];

    for (const { script, code, produced } of BROKEN) {
      it(`is charged for what came, and ends with an error (${script.fail ?? ''})`, async () => {
        const text = await streamed({ tokens: 30, interval: 1, ...script }, asked);
        await relay.idle();
        expect(textOf(text)).to.equal(fakeTokens(produced).join(''));
        expect(text).not.to.contain('[DONE]');
        expect(errorsOf(text)).to.have.length(1);
        if (code !== null) expect(errorsOf(text)).to.deep.equal([code]);
        const [charge] = relay.spending.charges;
        expect(charge?.basis).to.equal('estimated');
        expect(charge?.usage['output']).to.equal(fakeTokens(produced).join('').length);
        expect(charge?.call).to.deep.include({ errorCode: 'upstream_failed' });
        expect(charge?.call.attempts[0]?.outcome).to.equal('failed');
      });
    }

    it('passes garbage on where it is no more than that, and is charged for the rest', async () => {
      const text = await streamed({ tokens: 30, interval: 1, fail: 'garbage', after: 3 });
      await relay.idle();
      expect(text).to.contain(fakeTokens(3).at(0));
      expect(relay.spending.charges[0]?.usage['output']).to.equal(fakeTokens(3).join('').length);
      expect(relay.spending.charges[0]?.call.errorCode).to.equal('upstream_failed');
    });

    it('is ended when an event does not', async () => {
      await restart({ limits: { eventBytes: 100_000 } });
      const text = await streamed({ tokens: 30, interval: 1, fail: 'huge_chunk', after: 3, bytes: 5_000_000 });
      expect(errorsOf(text)).to.deep.equal(['upstream_garbled']);
      await upstream.call((call) => call.outcome === 'client_gone');
      await relay.idle();
      expect(relay.spending.charges[0]?.usage['output']).to.equal(fakeTokens(3).join('').length);
    });

    it('is ended when nothing comes for too long', async () => {
      await restart({ limits: { silenceMs: 60 } });
      const text = await streamed({ tokens: 30, interval: 1, fail: 'silence', after: 3 });
      expect(errorsOf(text)).to.deep.equal(['upstream_timed_out']);
      await upstream.call((call) => call.outcome === 'client_gone');
      expect(relay.spending.charges[0]?.call.attempts[0]?.outcome).to.equal('timed_out');
    });

    it('is ended when it goes on for too long', async () => {
      await restart({ limits: { streamMs: 80 } });
      const text = await streamed({ tokens: 10_000, interval: 5 });
      expect(errorsOf(text)).to.deep.equal(['upstream_timed_out']);
      await upstream.call((call) => call.outcome === 'client_gone');
    });

    it('is complete without [DONE], when it said why it ended', async () => {
      const text = await streamed({ tokens: 5, fail: 'no_done' }, asked);
      expect(textOf(text)).to.equal(fakeText(5));
      expect(text).to.match(/\[DONE\]\n\n$/);
      expect(relay.spending.charges[0]).to.deep.include({ basis: 'reported' });
      const unreported = await streamed({ tokens: 5, fail: 'no_done', usage: 'never' });
      expect(unreported).to.match(/\[DONE\]\n\n$/);
    });

    it('that was begun for its upstream’s silence and then said nothing is charged to nobody', async () => {
      await restart({ limits: { heartbeatMs: 40, firstEventMs: 60_000, silenceMs: 100 } });
      const response = await chat({ fail: 'silence', after: 0, tokens: 5 });
      const text = await response.text();
      expect(text.startsWith(': keep-alive\n\n') || text.includes('"role"')).to.equal(true);
      await relay.idle();
      expect(errorsOf(text)).to.deep.equal(['upstream_timed_out']);
    });
  });

  describe('whose upstream is slow', () => {
    it('is kept alive with comments', async () => {
      await restart({ limits: { heartbeatMs: 30 } });
      const { res } = await open({ tokens: 2, interval: 120_000 });
      const text = await readUntil(res, (seen) => (seen.match(/: keep-alive\n\n/g)?.length ?? 0) >= 3);
      expect(text.replaceAll(': keep-alive\n\n', '')).to.match(/^(data: \{[^\n]*\}\n\n)*$/);
      res.destroy();
      await upstream.call((call) => call.outcome === 'client_gone');
    });
  });

  describe('whose client leaves', () => {
    it('is aborted upstream and charged for what was produced', async () => {
      const { res } = await open({ tokens: 1_000, interval: 5 });
      await readUntil(res, (seen) => textOf(seen.slice(0, seen.lastIndexOf('\n\n') + 2)).length > 20);
      res.destroy();
      const call = await upstream.call(({ outcome }) => outcome === 'client_gone');
      await relay.idle();
      const [charge] = relay.spending.charges;
      expect(charge?.basis).to.equal('estimated');
      // A token for each character, of as many tokens as the upstream had sent.
      expect(charge?.usage['output']).to.be.within(20, fakeText(call.billed.completionTokens).length);
      expect(charge?.usage['input']).to.be.greaterThan(0);
      expect(charge?.call.attempts[0]?.outcome).to.equal('aborted');
      expect(relay.lines[0]).to.deep.include({ clientLeft: true, status: 200 });
    });

    it('is read to its end where the upstream bills all of it anyway, and charged for what that took', async () => {
      relay.directory.channels = [channel(upstream.baseUrl, { provider: 'groq' })];
      const { res } = await open({ tokens: 200, interval: 2 });
      await readUntil(res, (seen) => seen.includes('content'));
      res.destroy();
      await relay.idle();
      const [charge] = relay.spending.charges;
      expect([charge?.basis, charge?.usage['output']]).to.deep.equal(['reported', 200]);
      expect(charge?.call.attempts[0]?.outcome).to.equal('aborted');
      expect(charge?.call.status).to.equal(200);
      expect(upstream.calls.map(({ outcome }) => outcome)).to.deep.equal(['complete']);
    });

    it('is read on for no longer than the process lives', async () => {
      relay.directory.channels = [channel(upstream.baseUrl, { provider: 'groq' })];
      const { res } = await open({ tokens: 10_000, interval: 5 });
      await readUntil(res, (seen) => seen.includes('content'));
      res.destroy();
      await relay.inFlight.drain(50);
      await upstream.call(({ outcome }) => outcome === 'client_gone');
      expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated']);
    });

    it('before its first event is aborted, charged nothing, and put on record', async () => {
      upstream.when({}, { fail: 'silence' });
      const req = httpRequest(`${relay.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      });
      req.on('error', () => undefined);
      req.end(JSON.stringify({ model: 'm', messages: MESSAGES, stream: true }));
      await upstream.call(({ outcome }) => outcome === 'running');
      req.destroy();
      await upstream.call(({ outcome }) => outcome === 'client_gone');
      await relay.idle();
      expect(relay.spending.releases[0]).to.deep.include({ reason: 'client_left', reconcile: true });
    });

    it('pays a plain answer all the same: it was produced, and whoever comes back with its key gets it', async () => {
      upstream.when({}, { latency: 50 });
      const req = httpRequest(`${relay.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'idempotency-key': 'again' },
      });
      req.on('error', () => undefined);
      req.end(JSON.stringify({ model: 'm', messages: MESSAGES }));
      await upstream.call(({ outcome }) => outcome === 'running');
      req.destroy();
      await upstream.call(({ outcome }) => outcome === 'complete');
      await relay.idle();
      expect(relay.spending.charges).to.have.length(1);
      const again = await relay.post(
        '/v1/chat/completions',
        { model: 'm', messages: MESSAGES },
        { headers: { 'idempotency-key': 'again' } },
      );
      expect([again.status, again.headers.get('x-oblivious-replayed')]).to.deep.equal([200, 'true']);
      expect(upstream.calls).to.have.length(1);
    });

    it('256 times at once leaves no upstream connection behind, and every hold ended', async function () {
      this.timeout(30_000);
      upstream.when({}, { tokens: 500, interval: 100 });
      const requests = await Promise.all(
        Array.from({ length: 256 }, async () => {
          const req = httpRequest(`${relay.baseUrl}/chat/completions`, {
            method: 'POST',
            agent: false,
            headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
          });
          req.on('error', () => undefined);
          req.end(JSON.stringify({ model: 'm', messages: MESSAGES, stream: true }));
          const [res] = (await once(req, 'response')) as [IncomingMessage];
          res.on('error', () => undefined);
          await once(res, 'data');
          return req;
        }),
      );
      for (const req of requests) req.socket?.destroy();
      await relay.idle();
      expect(relay.spending.charges).to.have.length(256);
      while (upstream.calls.some(({ outcome }) => outcome === 'running'))
        await upstream.call(({ outcome }) => outcome === 'client_gone').then(() => new Promise(setImmediate));
      expect(relay.pools.stats().reduce((sum, { running }) => sum + running, 0)).to.equal(0);
      expect(relay.inFlight.size).to.equal(0);
    });
  });

  describe('whose client does not read', () => {
    it('pauses the upstream, holds a bounded buffer, and is cut in the end', async function () {
      this.timeout(30_000);
      await restart({ limits: { unreadMs: 300 } });
      const { res } = await open({ tokens: 2_000_000, chunk: 200, usage: 'never' });
      res.pause();
      const call = await upstream.call(({ outcome }) => outcome === 'client_gone');
      await relay.idle();
      // Two million tokens are some 12 MB; what fits into sockets and buffers is far less.
      expect(call.billed.completionTokens).to.be.lessThan(2_000_000);
      expect(relay.spending.charges[0]?.call.attempts[0]?.outcome).to.equal('aborted');
      res.destroy();
    });

    it('gets everything when it reads after all', async function () {
      this.timeout(30_000);
      const { res } = await open({ tokens: 200_000, chunk: 50 }, asked);
      // Paused until the first bytes are there; many times what buffers hold is still to come.
      await once(res, 'readable');
      let text = '';
      res.setEncoding('utf8');
      for await (const chunk of res) text += chunk as string;
      expect(textOf(text)).to.equal(fakeText(200_000));
      expect(text).to.match(/\[DONE\]\n\n$/);
    });
  });

  describe('when the process ends', () => {
    it('goes on for as long as it may, then ends with an error and is charged', async () => {
      const { res } = await open({ tokens: 10_000, interval: 5 });
      await readUntil(res, (seen) => seen.includes('content'));
      const drained = relay.inFlight.drain(50);
      const refused = await relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES });
      expect(refused.status).to.equal(503);
      let text = '';
      res.setEncoding('utf8');
      for await (const chunk of res) text += chunk as string;
      await drained;
      expect(errorsOf(text)).to.deep.equal(['shutting_down']);
      expect(relay.spending.charges).to.have.length(1);
      await upstream.call(({ outcome }) => outcome === 'client_gone');
    });
  });
});
