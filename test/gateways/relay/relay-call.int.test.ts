import { brotliCompressSync } from 'node:zlib';
import { expect } from 'chai';
import type { DirectoryChannel } from '../../../gateways/ports/directory.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Money } from '../../../schemas/money.ts';
import { fakePromptTokens, fakeText } from '../../support/fake-upstream/answer.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, KEY, startRelay, type ChannelOptions, type RelayHarness } from './relay-harness.ts';

const MESSAGES = [{ role: 'user', content: 'What is in the ledger?' }];
const PROMPT = fakePromptTokens(MESSAGES);
/** Two dollars a million in, eight out. */
const priceOf = (prompt: number, output: number): bigint => BigInt(prompt) * 2_000n + BigInt(output) * 8_000n;

interface ErrorAnswer {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string };
}

describe('a relayed call', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;

  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    relay = await startRelay();
    serveBy({});
  });
  afterEach(async () => {
    await relay.close();
    expect(relay.inFlight.size, 'calls in flight').to.equal(0);
  });

  const serveBy = (...options: readonly ChannelOptions[]): readonly DirectoryChannel[] => {
    relay.directory.channels = options.map((each) => channel(each.baseUrl ?? upstream.baseUrl, each));
    for (const model of relay.directory.models()) relay.directory.prices.set(model, chatPrice(model));
    return relay.directory.channels;
  };
  const chat = (more: object = {}, init: RequestInit = {}): Promise<Response> =>
    relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES, ...more }, init);
  const errorOf = async (response: Response): Promise<ErrorAnswer['error']> => ((await response.json()) as ErrorAnswer).error;

  describe('that goes well', () => {
    it('passes the body and the answer on, byte for byte', async () => {
      const body = `{ "model":"m" , "messages":[{"role":"user","content":"z\\u00e4hlt 🪙"}],"future_field":{"a":[1.0,2e3]},"temperature":0.70 }`;
      const answer = await relay.post('/v1/chat/completions', body);
      const call = await upstream.call(() => true);
      expect(call.body.toString()).to.equal(body);
      expect(answer.status).to.equal(200);
      const direct = await fetch(`${upstream.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const text = await answer.text();
      expect(text.replace(/chatcmpl-fake-\d+/, '')).to.equal((await direct.text()).replace(/chatcmpl-fake-\d+/, ''));
    });

    it('is charged by the reported usage, and says so', async () => {
      upstream.when({}, { tokens: 20, cached: 2, reasoning: 5 });
      const answer = await chat();
      await answer.text();
      const [charge] = relay.spending.charges;
      expect(charge?.usage).to.deep.equal({ input: PROMPT - 2, cachedInput: 2, output: 20, reasoning: 5 });
      expect(charge?.basis).to.equal('reported');
      const computed = priceOf(PROMPT - 2, 25) + 2n * 500n;
      expect(charge?.computed).to.equal(computed);
      expect(charge?.upstreamCost).to.equal(computed / 2n);
      expect(answer.headers.get('x-oblivious-cost')).to.equal((Number(computed) / 1e9).toString());
      expect(answer.headers.get('x-oblivious-channel')).to.equal(charge?.channelId);
      expect(answer.headers.get('x-request-id')).to.equal(relay.spending.last.request.requestId);
      expect(charge?.call).to.deep.include({ dialect: 'openai', endpoint: 'chat', streamed: false, status: 200 });
      expect(charge?.call.attempts).to.have.length(1);
      expect(charge?.call.attempts[0]).to.deep.include({ attemptId: charge?.attemptId, outcome: 'answered', status: 200 });
      // The attempt is named on the upstream's side too.
      expect(upstream.calls[0]?.headers['x-client-request-id']).to.equal(charge?.attemptId);
    });

    it('holds its worst case first', async () => {
      await (await chat({ max_tokens: 100 })).text();
      const body = JSON.stringify({ model: 'm', messages: MESSAGES, max_tokens: 100 });
      const { request } = relay.spending.last;
      expect(request.amount).to.equal(BigInt(body.length + 16) * 2_000n + 100n * 8_000n);
      expect(request.least).to.equal(BigInt(body.length + 16) * 2_000n + 32n * 8_000n);
    });

    it('keeps the client’s name for a model that the upstream calls otherwise', async () => {
      serveBy({ models: ['m=theirs'] });
      const answer = (await (await chat()).json()) as { model: string };
      expect(upstream.calls[0]?.model).to.equal('theirs');
      expect(answer.model).to.equal('m');
      const stream = await (await chat({ stream: true })).text();
      expect([...stream.matchAll(/"model":"([^"]*)"/g)].map(([, model]) => model)).to.satisfy(
        (models: string[]) => models.length > 3 && models.every((model) => model === 'm'),
      );
    });

    it('takes what a compressed answer says', async () => {
      upstream.when({}, { gzip: true });
      const answer = await chat();
      expect(answer.headers.get('content-encoding')).to.equal(null);
      expect(((await answer.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content).to.equal(fakeText(16));
      expect(relay.spending.charges[0]?.basis).to.equal('reported');
    });

    it('may be asked for in a packed body', async () => {
      const answer = await fetch(`${relay.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-encoding': 'br' },
        body: brotliCompressSync(JSON.stringify({ model: 'm', messages: MESSAGES })),
      });
      expect(answer.status).to.equal(200);
      expect(JSON.parse(String(upstream.calls[0]?.body))).to.deep.equal({ model: 'm', messages: MESSAGES });
      expect(upstream.calls[0]?.headers['content-encoding']).to.equal(undefined);
    });

    it('is packed for those who take that, when it is long', async () => {
      const ask = (accept: string): Promise<Response> =>
        relay.post('/v1/chat/completions', { model: 'm', messages: MESSAGES }, { headers: { 'accept-encoding': accept } });
      upstream.when({}, { tokens: 16_000 });
      const long = await ask('gzip, br');
      expect(long.headers.get('content-encoding')).to.equal('br');
      expect(long.headers.get('vary')).to.equal('accept-encoding');
      expect(((await long.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content).to.equal(
        fakeText(16_000),
      );
      const plain = await ask('identity');
      expect(plain.headers.get('content-encoding')).to.equal(null);
      await plain.text();
      upstream.reset();
      expect((await ask('gzip, br')).headers.get('content-encoding'), 'a short one is not').to.equal(null);
    });

    it('is served by the sandbox where the sandbox runs', async () => {
      const withSandbox = await startRelay({ sandboxUrl: () => upstream.baseUrl });
      withSandbox.directory.channels = [channel('http://sandbox.invalid/v1', { provider: 'sandbox', keys: [] })];
      withSandbox.directory.prices.set('m', chatPrice('m'));
      const answer = await withSandbox.post('/v1/chat/completions', { model: 'm', messages: MESSAGES });
      expect(answer.status).to.equal(200);
      expect(upstream.calls[0]?.key).to.equal(undefined);
      await withSandbox.close();
    });

    it('writes one line for the log, with nothing of what was said and no key', async () => {
      await (await chat()).text();
      expect(relay.lines).to.have.length(1);
      expect(relay.lines[0]).to.deep.include({
        method: 'POST',
        route: '/v1/chat/completions',
        status: 200,
        model: 'm',
        basis: 'reported',
        streamed: false,
        attempts: 1,
      });
      expect(JSON.stringify(relay.lines)).not.to.match(/ledger|sk-/);
      expect(relay.finished[0]).to.deep.include({ outcome: 'answered', model: 'm', status: 200 });
    });

    it('accepts what clients get wrong in addresses', async () => {
      for (const path of ['/v1/chat/completions/', '//v1/chat/completions', '/v1//chat/completions', '/v1/chat/completions?x=1']) {
        expect((await relay.post(path, { model: 'm', messages: MESSAGES })).status, path).to.equal(200);
      }
    });
  });

  describe('that is refused before it costs anything', () => {
    const refusedWith = async (response: Response, status: number, code: string): Promise<ErrorAnswer['error']> => {
      const error = await errorOf(response);
      expect([response.status, error.code]).to.deep.equal([status, code]);
      expect(response.headers.get('x-request-id')).to.match(/^req_/);
      expect(upstream.calls).to.have.length(0);
      expect(relay.spending.reservations).to.have.length(0);
      return error;
    };
    const withToken = (changes: object): void => {
      relay.directory.token = { ...relay.directory.token, ...changes };
    };
    const restrictedTo = (restrictions: object): void =>
      withToken({ restrictions: { ...relay.directory.token.restrictions, ...restrictions } });

    it('for its key', async () => {
      await refusedWith(await chat({}, { headers: { authorization: '' } }), 401, 'missing_api_key');
      await refusedWith(await chat({}, { headers: { authorization: 'Basic abc' } }), 401, 'missing_api_key');
      await refusedWith(await chat({}, { headers: { authorization: 'Bearer sk-obl-other' } }), 401, 'invalid_api_key');
      await refusedWith(await chat({}, { headers: { authorization: 'Bearer not-one-of-ours' } }), 401, 'invalid_api_key');
      for (const [changes, status, code] of [
        [{ disabled: true }, 401, 'key_disabled'],
        [{ revoked: true }, 401, 'key_revoked'],
        [{ exhausted: true }, 429, 'key_exhausted'],
        [{ expiresAt: Date.now() - 1 }, 401, 'key_expired'],
      ] as const) {
        const before = relay.directory.token;
        withToken(changes);
        await refusedWith(await chat(), status, code);
        relay.directory.token = before;
      }
      relay.directory.owner = { ...relay.directory.owner, suspended: true };
      await refusedWith(await chat(), 403, 'user_suspended');
    });

    it('for what its key may not do', async () => {
      const { token } = relay.directory;
      restrictedTo({ models: ['other'] });
      await refusedWith(await chat(), 403, 'model_not_allowed');
      relay.directory.token = token;
      restrictedTo({ endpoints: ['embeddings'] });
      await refusedWith(await chat(), 403, 'endpoint_not_allowed');
      relay.directory.token = token;
      restrictedTo({ addresses: ['10.0.0.0/8', '2001:db8::/32'] });
      await refusedWith(await chat(), 403, 'address_not_allowed');
      restrictedTo({ addresses: ['127.0.0.0/8'] });
      expect((await chat()).status).to.equal(200);
    });

    it('for a model that is not there, has no price, or is of another kind', async () => {
      await refusedWith(await chat({ model: 'nope' }), 404, 'model_not_found');
      relay.directory.prices.delete('m');
      await refusedWith(await chat(), 400, 'model_without_price');
      relay.directory.prices.set('m', { model: 'm', kind: 'chat', rates: { input: 1n as Money } });
      await refusedWith(await chat(), 400, 'model_without_price');
      relay.directory.prices.set('m', { model: 'm', kind: 'embedding', rates: { input: 1n as Money } });
      await refusedWith(await chat(), 400, 'invalid_request');
      serveBy({ groups: ['vip'] });
      await refusedWith(await chat(), 404, 'model_not_found');
    });

    it('for its body', async () => {
      const raw = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
        relay.post('/v1/chat/completions', body, { headers });
      await refusedWith(await raw('{"model":'), 400, 'invalid_json');
      await refusedWith(await raw('{}'), 400, 'invalid_request');
      await refusedWith(await raw('x', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type');
      await refusedWith(await raw('{}', { 'content-encoding': 'compress' }), 415, 'unsupported_media_type');
      await refusedWith(await raw(`{"model":"m","messages":[{"role":"user","content":"x"}],"n":0}`), 400, 'invalid_request');
    });

    it('for what it is not, though its encoding says so', async () => {
      const packed = (body: Buffer | string) => relay.post('/v1/chat/completions', body, { headers: { 'content-encoding': 'gzip' } });
      await refusedWith(await packed('{}'), 400, 'invalid_request');
    });

    it('for its size, whether or not it says it beforehand', async () => {
      const small = await startRelay({ limits: { bodyBytes: 1_000 } });
      const announced = await small.post('/v1/chat/completions', 'x'.repeat(1_001));
      expect([announced.status, (await errorOf(announced)).code]).to.deep.equal([413, 'body_too_large']);
      const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(600)) });
      const chunked = await fetch(`${small.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer sk-obl-test', 'content-type': 'application/json' },
        body: endless,
        duplex: 'half',
      });
      expect([chunked.status, (await errorOf(chunked)).code]).to.deep.equal([413, 'body_too_large']);
      await small.close();
    });

    it('for money', async () => {
      relay.spending.balance = 10n as Money;
      const response = await chat();
      await refusedWith(response, 429, 'insufficient_quota');
      expect(response.headers.get('x-should-retry')).to.equal('false');
    });

    it('for the process’s end', async () => {
      relay.inFlight.stopAdmitting();
      await refusedWith(await chat(), 503, 'shutting_down');
    });
  });

  describe('on little money', () => {
    it('is limited to the output that is covered', async () => {
      const body = JSON.stringify({ model: 'm', messages: MESSAGES });
      // The prompt's bound and a hundred tokens of output.
      relay.spending.balance = (BigInt(body.length + 16) * 2_000n + 100n * 8_000n) as Money;
      upstream.when({}, { tokens: 500 });
      const answer = await chat();
      expect(upstream.calls[0]?.body.toString()).to.equal(body.replace('{', '{"max_tokens":100,'));
      expect(((await answer.json()) as { usage: { completion_tokens: number } }).usage.completion_tokens).to.equal(100);
      expect(relay.spending.charges[0]?.computed).to.equal(priceOf(PROMPT, 100));
    });

    it('is charged what it holds at most; the rest is the ledger’s to record', async () => {
      upstream.when({}, { usage: 'beyond_limit' });
      const answer = await chat({ max_tokens: 10 });
      const { charges, hold } = relay.spending.last;
      expect(charges[0]?.usage).to.deep.include({ output: 1_100 });
      expect((charges[0]?.computed ?? 0n) > hold.amount).to.equal(true);
      expect(answer.headers.get('x-oblivious-cost')).to.equal((Number(hold.amount) / 1e9).toString());
    });
  });

  describe('and the log', () => {
    const held = (): { readonly settle: (refusal: Refusal | null) => void; readonly durable: () => Promise<Refusal | null> } => {
      let settle: (refusal: Refusal | null) => void = () => undefined;
      const promise = new Promise<Refusal | null>((resolve) => (settle = resolve));
      return { settle: (refusal) => settle(refusal), durable: () => promise };
    };

    it('nothing goes out before the reservation is durable, though the upstream is at work already', async () => {
      for (const stream of [false, true]) {
        upstream.reset();
        const { settle, durable } = held();
        relay.spending.durable = durable;
        let answered = false;
        const answer = chat({ stream }).then((response) => {
          answered = true;
          return response;
        });
        await upstream.call((call) => call.outcome === 'complete');
        // Whatever the relay would do with the answer it has had time to do once another request was served.
        await fetch(`${relay.baseUrl}/nothing`);
        expect(answered).to.equal(false);
        settle(null);
        expect((await answer).status).to.equal(200);
        await (await answer).text();
      }
    });

    it('a reservation that is refused ends the upstream call; nothing is served, charged or released', async () => {
      for (const stream of [false, true]) {
        upstream.reset();
        upstream.when({}, { fail: 'silence' });
        const { settle, durable } = held();
        relay.spending.durable = durable;
        const answer = chat({ stream });
        await upstream.call((call) => call.outcome === 'running');
        settle(refuse('log_unavailable'));
        const response = await answer;
        expect([response.status, (await errorOf(response)).code]).to.deep.equal([503, 'log_unavailable']);
        await upstream.call((call) => call.outcome === 'client_gone');
      }
      expect(relay.spending.charges).to.have.length(0);
      expect(relay.spending.releases).to.have.length(0);
    });

    it('nothing of a plain answer goes out before its charge is durable', async () => {
      const { settle, durable } = held();
      relay.spending.chargeDurable = durable;
      const answer = chat();
      await upstream.call((call) => call.outcome === 'complete');
      settle(refuse('lease_lost'));
      const response = await answer;
      expect([response.status, (await errorOf(response)).code]).to.deep.equal([503, 'lease_lost']);
    });

    it('the end of a stream does not go out before its charge is durable', async () => {
      const { settle, durable } = held();
      relay.spending.chargeDurable = durable;
      const response = await chat({ stream: true, stream_options: { include_usage: true } });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const decoder = new TextDecoder();
      let seen = '';
      while (!seen.includes('"finish_reason":"stop"')) seen += decoder.decode((await reader.read()).value, { stream: true });
      await fetch(`${relay.baseUrl}/nothing`);
      expect(seen).not.to.match(/\[DONE\]|"usage":\{/);
      settle(null);
      for (let read = await reader.read(); !read.done; read = await reader.read()) seen += decoder.decode(read.value, { stream: true });
      expect(seen).to.match(/"usage":\{.*"cost":"0\.000\d+"\}.*\n\ndata: \[DONE\]\n\n$/s);
    });

    it('a stream whose charge is refused ends with an error instead of its end', async () => {
      relay.spending.chargeDurable = async () => refuse('lease_lost');
      const text = await (await chat({ stream: true })).text();
      expect(text)
        .to.match(/"code":"lease_lost"\}\}\n\n$/)
        .and.not.contain('[DONE]');
    });

    it('asks the account when the lease in hand does not cover the call', async () => {
      relay.spending.reserveLater = true;
      expect((await chat()).status).to.equal(200);
    });
  });
});
