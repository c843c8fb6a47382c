import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { DEFAULT_RELAY_LIMITS, type RealtimeLimits, type RelayLimits } from '../../../../gateways/relay/relay-limits.ts';
import { refuse } from '../../../../schemas/errors.ts';
import { LimitRule, NO_LIMITS } from '../../../../schemas/limits.ts';
import type { Money } from '../../../../schemas/money.ts';
import type { ModelPrice } from '../../../../schemas/price.ts';
import { handStopwatch } from '../../../support/hand-stopwatch.ts';
import { RealtimeClient } from '../../../support/realtime-upstream/realtime-client.ts';
import { startRealtimeUpstream, USAGE, type RealtimeUpstream } from '../../../support/realtime-upstream/realtime-upstream.ts';
import { startTlsFront } from '../../../support/tls-front.ts';
import { channel, KEY, startRelay, type HarnessOptions, type RelayHarness } from '../relay-harness.ts';

const PRICE: ModelPrice = {
  model: 'voice',
  kind: 'other',
  rates: {
    input: 4_000_000_000n as Money,
    cachedInput: 400_000_000n as Money,
    output: 16_000_000_000n as Money,
    audioInput: 32_000_000_000n as Money,
    audioOutput: 64_000_000_000n as Money,
  },
  maxOutputTokens: 100,
  contextTokens: 32_000,
};

/** What {@link USAGE} costs: 30 of text, 50 of sound, 40 cached, 20 written, 30 spoken. */
const COST = 30n * 4_000n + 50n * 32_000n + 40n * 400n + 20n * 16_000n + 30n * 64_000n;

/** What the first response of a session is held for: the headroom of 1 024 tokens of sound, 100 that it may speak. */
const FIRST_HOLD = 1_024n * 32_000n + 100n * 64_000n;

const LIMITS = DEFAULT_RELAY_LIMITS.realtime;

describe('realtime sessions', () => {
  let upstream: RealtimeUpstream;
  let relay: RelayHarness;
  const clients: RealtimeClient[] = [];

  const start = async (limits: Partial<RelayLimits> & { readonly sessions?: Partial<RealtimeLimits> } = {}, more: HarnessOptions = {}) => {
    const { sessions, ...rest } = limits;
    relay = await startRelay({ ...more, limits: { ...rest, realtime: { ...LIMITS, ...sessions } } });
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['voice=theirs'] })];
    relay.directory.prices.set('voice', PRICE);
  };

  const client = (
    options: { readonly key?: string; readonly query?: string; readonly protocols?: readonly string[] } = {},
  ): RealtimeClient => {
    const { key = KEY, query = '?model=voice', protocols = [] } = options;
    const headers: Record<string, string> = key === '' ? {} : { authorization: `Bearer ${key}` };
    const each = new RealtimeClient(`${relay.url.replace('http', 'ws')}/v1/realtime${query}`, { headers }, protocols);
    clients.push(each);
    return each;
  };

  const opened = async (): Promise<RealtimeClient> => {
    const each = client();
    await each.until(() => each.count('session.created') === 1);
    return each;
  };

  beforeEach(async () => {
    upstream = await startRealtimeUpstream();
    await start();
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.terminate();
    await relay.idle();
    expect(relay.spending.unended, 'holds that have no end').to.equal(0);
    expect(relay.openSessions()).to.equal(0);
    await relay.close();
    await upstream.close();
  });

  describe('from end to end', () => {
    it('serves the official client, and charges each response before it hears of its end', async () => {
      const front = await startTlsFront(Number(new URL(relay.url).port));
      const openai = new OpenAI({ apiKey: KEY, baseURL: `https://127.0.0.1:${front.port}/v1` });
      const rt = new OpenAIRealtimeWS({ model: 'voice', options: { rejectUnauthorized: false } }, openai);
      let done = 0;
      const chargedBefore: number[] = [];
      let text = '';
      rt.on('response.output_text.delta', ({ delta }) => void (text += delta));
      const finished = new Promise<void>((resolve, reject) => {
        rt.on('error', reject);
        rt.on('response.done', () => {
          chargedBefore.push(relay.spending.charges.length);
          if (++done === 2) return resolve();
          rt.send({ type: 'response.create' });
        });
      });
      rt.socket.on('open', () => {
        rt.send({
          type: 'conversation.item.create',
          item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
        });
        rt.send({ type: 'response.create' });
      });
      await finished;
      rt.close();
      await relay.idle();
      front.close();

      expect(text).to.equal('Hello there.Hello there.');
      expect(chargedBefore).to.deep.equal([1, 2]);
      for (const { usage, basis, computed, call } of relay.spending.charges) {
        expect(usage).to.deep.equal({ input: 30, cachedInput: 40, audioInput: 50, output: 20, audioOutput: 30 });
        expect(basis).to.equal('reported');
        expect(computed).to.equal(COST);
        expect(call).to.include({ endpoint: 'realtime', dialect: 'openai', streamed: true, status: 200 });
      }
      const [session] = upstream.sessions;
      expect(session?.req.url).to.equal('/v1/realtime?model=theirs');
      expect(session?.req.headers.authorization).to.equal('Bearer sk-upstream-1');
      expect(session?.types()).to.deep.equal(['conversation.item.create', 'response.create', 'response.create']);
      await new Promise((resolve) => setImmediate(resolve));
      const routes = relay.lines.map(({ route, status }) => `${route} ${status}`);
      expect(routes).to.deep.equal(['/v1/realtime 200', '/v1/realtime 200', '/v1/realtime 101']);
    });

    it('serves a browser, whose key stands in a subprotocol, and never tells the upstream of that', async () => {
      const each = client({ key: '', protocols: ['realtime', `openai-insecure-api-key.${KEY}`, 'openai-beta.realtime-v1'] });
      await each.until(() => each.count('session.created') === 1);
      expect(each.socket.protocol).to.equal('realtime');
      const [session] = upstream.sessions;
      expect(session?.req.headers['sec-websocket-protocol']).to.equal(undefined);
      expect(session?.req.headers['openai-beta']).to.equal('realtime=v1');
      expect(JSON.stringify(session?.req.rawHeaders)).not.to.contain(KEY);
    });

    it('asks Azure for a deployment, with its own header for the key', async () => {
      relay.directory.channels = [
        channel(upstream.baseUrl.replace('/v1', '/openai'), { provider: 'azure-openai-deployments', models: ['voice=my voice'] }),
      ];
      const each = await opened();
      each.send({ type: 'response.create' });
      await each.until(() => each.count('response.done') === 1);
      const [session] = upstream.sessions;
      expect(session?.req.url).to.equal('/openai/realtime?api-version=2024-10-01-preview&deployment=my%20voice');
      expect(session?.req.headers['api-key']).to.equal('sk-upstream-1');
    });

    it('passes frames both ways as they are, text and binary, but for the name of the model', async () => {
      const each = await opened();
      const [session] = upstream.sessions;
      expect((each.events[0]?.['session'] as { model: string }).model).to.equal('voice');
      const odd = '{ "type" : "input_audio_buffer.clear",   "x":[1.0, 1e2] }';
      each.socket.send(odd);
      each.socket.send(Buffer.from([1, 2, 3]));
      session?.socket.send(Buffer.from([9, 8, 7]));
      session?.socket.send('{ "type":"rate_limits.updated" , "n": 1.50}');
      await each.until(() => each.raw.length === 3 && session?.frames.length === 2);
      expect(session?.frames).to.deep.equal([odd, '{"type":"binary","bytes":3}']);
      expect(each.raw[1]).to.deep.equal({ data: Buffer.from([9, 8, 7]), isBinary: true });
      expect(each.raw[2]?.data.toString()).to.equal('{ "type":"rate_limits.updated" , "n": 1.50}');
    });

    it('goes to the next channel as long as no socket is open', async () => {
      const seen: string[] = [];
      upstream.refuse = (req) => {
        seen.push(String(req.headers.authorization));
        return req.headers.authorization === 'Bearer bad'
          ? { status: 401, body: '{"error":{"message":"no","type":"invalid_request_error","code":"invalid_api_key","param":null}}' }
          : null;
      };
      relay.directory.channels = [
        channel(upstream.baseUrl, { models: ['voice'], keys: ['bad'], priority: 2 }),
        channel('http://127.0.0.1:9/v1', { models: ['voice'], priority: 1 }),
        channel(upstream.baseUrl, { models: ['voice'], keys: ['good'] }),
      ];
      await opened();
      expect(seen).to.deep.equal(['Bearer bad', 'Bearer good']);
      expect(relay.health.refusedKeys).to.have.length(1);
    });

    it('charges transcripts at the price of the model that wrote them', async () => {
      relay.directory.prices.set('scribe', { model: 'scribe', kind: 'transcription', rates: { second: 100_000n as Money } });
      const each = await opened();
      each.send({ type: 'session.update', session: { audio: { input: { turn_detection: null, transcription: { model: 'scribe' } } } } });
      await each.until(() => each.count('session.updated') === 1);
      each.send({ type: 'input_audio_buffer.append', audio: Buffer.alloc(48_000).toString('base64') });
      each.send({ type: 'input_audio_buffer.commit' });
      await each.until(() => upstream.sessions[0]?.frames.length === 3);
      upstream.sessions[0]?.send({
        type: 'conversation.item.input_audio_transcription.completed',
        event_id: 'ev',
        item_id: 'i',
        transcript: 'hello',
        usage: { type: 'duration', seconds: 1.2 },
      });
      await each.until(() => each.types().includes('conversation.item.input_audio_transcription.completed'));
      const [charged] = relay.spending.charges;
      expect(charged?.usage).to.deep.equal({ second: 2 });
      expect(charged?.computed).to.equal(200_000n);
      expect(relay.spending.reservations.map(({ request }) => request.model)).to.deep.equal(['voice', 'scribe']);
    });

    it('does not let a transcript be written by a model without a price, or the session change its model', async () => {
      const each = await opened();
      each.send({ type: 'session.update', session: { input_audio_transcription: { model: 'free' } } });
      await each.until(() => each.count('error') === 1);
      expect(each.errorCode).to.equal('model_without_price');
      each.send({ type: 'session.update', event_id: 'mine', session: { model: 'dearer' } });
      await each.until(() => each.count('error') === 2);
      expect(each.events.at(-1)?.['error']).to.include({ code: 'invalid_request', param: 'session.model', event_id: 'mine' });
      each.send({ type: 'session.update', session: { model: 'voice', voice: 'alloy' } });
      await each.until(() => each.count('session.updated') === 1);
      expect(upstream.sessions[0]?.frames).to.deep.equal(['{"type":"session.update","session":{"model":"theirs","voice":"alloy"}}']);
    });

    it('take no more updates than the upstream might still answer', async () => {
      upstream.onEvent = (session, { type, event_id: id }) => {
        if (type === 'session.update') session.send({ type: 'error', event_id: 'ev', error: { code: 'invalid_value', event_id: id } });
        if (type === 'response.create') session.respond();
      };
      const each = await opened();
      for (let sent = 0; sent < 300; sent++) each.send({ type: 'session.update', session: { max_output_tokens: 'many' } });
      each.send({ type: 'response.create' });
      await each.until(() => each.count('response.done') === 1);
      expect(upstream.sessions[0]?.types().filter((type) => type === 'session.update')).to.have.length(256);
      const refused = each.events.filter(({ error }) => (error as { code?: unknown } | undefined)?.code === 'rate_limited');
      expect(refused).to.have.length(300 - 256);
    });
  });

  describe('before the socket is open', () => {
    const answered = async (options: Parameters<typeof client>[0], status: number, code: string): Promise<void> => {
      const each = client(options);
      await each.until(() => each.answer !== null);
      expect(each.answer?.status, code).to.equal(status);
      expect((JSON.parse(each.answer?.body ?? '{}') as { error: { code: string } }).error.code).to.equal(code);
    };

    it('answers in HTTP what it refuses', async () => {
      await answered({ key: '' }, 401, 'missing_api_key');
      await answered({ key: 'sk-obl-other' }, 401, 'invalid_api_key');
      await answered({ query: '' }, 400, 'invalid_request');
      await answered({ query: '?model=nothing' }, 404, 'model_not_found');
      relay.spending.balance = 0n as Money;
      await answered({}, 429, 'insufficient_quota');
      relay.spending.balance = FIRST_HOLD as Money;
      upstream.refuse = () => ({ status: 500, body: 'no' });
      await answered({}, 502, 'upstream_failed');
      upstream.refuse = () => ({ status: 400, body: '{"error":{"message":"bad voice","type":"x","code":"invalid_value","param":null}}' });
      relay.directory.channels = [channel(upstream.baseUrl, { models: ['voice'] })];
      await answered({}, 400, 'invalid_value');
      expect(upstream.sessions).to.have.length(0);
    });

    it('says what the address is for where nobody asks for a socket', async () => {
      const res = await fetch(`${relay.url}/v1/realtime?model=voice`, { headers: { authorization: `Bearer ${KEY}` } });
      expect(res.status).to.equal(400);
      expect(await res.text()).to.contain('WebSocket');
    });

    it('opens nothing where the reservation is not on record', async () => {
      relay.spending.durable = async () => refuse('log_unavailable');
      const each = client();
      await each.until(() => each.answer !== null);
      expect(each.answer?.status).to.equal(503);
      // What is not on record needs no end.
      for (const reservation of relay.spending.reservations) reservation.releases.push({} as never);
    });
  });

  describe('money', () => {
    it('sends no response’s request to the upstream without a hold, and ends the session when there is none', async () => {
      relay.spending.balance = FIRST_HOLD as Money;
      const each = await opened();
      each.send({ type: 'response.create' });
      await each.until(() => each.closed !== null);
      expect(each.types()).to.deep.equal(['session.created', 'response.created', 'response.output_text.delta', 'response.done', 'error']);
      expect(each.errorCode).to.equal('insufficient_quota');
      expect(each.closed?.code).to.equal(1008);
      await relay.idle();
      expect(relay.spending.balance).to.equal(FIRST_HOLD - COST);
    });

    it('holds what a response may use at most, as the session has it and as the request asks', async () => {
      relay.spending.balance = (2n * FIRST_HOLD - 1n) as Money;
      const each = await opened();
      upstream.onEvent = () => undefined;
      each.send({ type: 'response.create' });
      each.send({ type: 'response.create' });
      await each.until(() => each.closed !== null);
      expect(each.errorCode).to.equal('insufficient_quota');
      expect(upstream.sessions[0]?.types()).to.deep.equal(['response.create']);
    });

    it('takes a larger hold before a longer response is asked for', async () => {
      const each = await opened();
      each.send({ type: 'session.update', session: { max_output_tokens: 10 } });
      await each.until(() => each.count('session.updated') === 1);
      each.send({ type: 'response.create' });
      await each.until(() => each.count('response.done') === 1);
      each.send({ type: 'response.create', response: { max_output_tokens: 90 } });
      await each.until(() => each.count('response.done') === 2);
      const outputs = relay.spending.reservations.map(({ hold, charges }) => [charges.length, hold.amount] as const);
      const [first, second] = outputs.filter(([charges]) => charges === 1).map(([, amount]) => amount);
      expect(first).to.equal(FIRST_HOLD);
      // 170 tokens are in the conversation, and the event itself.
      const bytes = BigInt('{"type":"response.create","response":{"max_output_tokens":90}}'.length);
      expect(second).to.equal((170n + bytes + 1_024n) * 32_000n + 90n * 64_000n);
    });

    it('lets three sessions spend a balance to the last response and not beyond', async () => {
      const responses = 5n;
      // Each response frees what it did not use of its hold, so that the last ones still find a whole one.
      relay.spending.balance = (FIRST_HOLD * 3n + responses * COST) as Money;
      const before = relay.spending.balance;
      const three = await Promise.all([opened(), opened(), opened()]);
      for (const each of three)
        each.socket.on('message', (data: Buffer) => {
          if (data.includes('"response.done"') && each.socket.readyState === 1) each.send({ type: 'response.create' });
        });
      for (const each of three) each.send({ type: 'response.create' });
      await Promise.all(three.map((each) => each.until(() => each.closed !== null)));
      await relay.idle();
      const { charges } = relay.spending;
      expect(charges.length).to.be.greaterThan(3);
      expect(relay.spending.balance).to.equal(before - BigInt(charges.length) * COST);
      expect(relay.spending.balance >= 0n).to.equal(true);
      expect(charges.every(({ basis }) => basis === 'reported')).to.equal(true);
      const asked = upstream.sessions.flatMap((session) => session.types()).filter((type) => type === 'response.create');
      expect(asked).to.have.length(charges.length);
    });

    it('has money for what the upstream begins by itself before it hears anything', async () => {
      upstream.settings = { model: 'theirs', audio: { input: { turn_detection: { type: 'server_vad' } } } };
      const each = await opened();
      upstream.onEvent = (session, { type }) => {
        if (type === 'input_audio_buffer.append') session.respond();
      };
      each.send({ type: 'input_audio_buffer.append', audio: 'AAAA' });
      await each.until(() => each.count('response.done') === 1);
      relay.spending.balance = 0n as Money;
      each.send({ type: 'input_audio_buffer.append', audio: 'AAAA' });
      await each.until(() => each.closed !== null);
      expect(relay.spending.charges).to.have.length(2);
      expect(each.errorCode).to.equal('insufficient_quota');
    });

    it('holds back the end of a response until its charge is on record, and ends the session where it will not be', async () => {
      const each = await opened();
      let record: () => void = () => undefined;
      relay.spending.chargeDurable = () => new Promise((resolve) => (record = () => resolve(null)));
      each.send({ type: 'response.create' });
      await each.until(() => relay.spending.charges.length === 1);
      upstream.sessions[0]?.send({ type: 'rate_limits.updated', event_id: 'ev' });
      expect(each.count('response.done')).to.equal(0);
      record();
      await each.until(() => each.count('rate_limits.updated') === 1);
      expect(each.types().slice(-2)).to.deep.equal(['response.done', 'rate_limits.updated']);
      relay.spending.chargeDurable = async () => refuse('log_unavailable');
      each.send({ type: 'response.create' });
      await each.until(() => each.closed !== null);
      expect(each.errorCode).to.equal('log_unavailable');
      expect(each.count('response.done')).to.equal(1);
    });

    it('charges a usage that cannot be true by the hold', async () => {
      const each = await opened();
      upstream.onEvent = (session, { type }) => {
        if (type === 'response.create') session.respond({ ...USAGE, output_tokens: -5 });
      };
      each.send({ type: 'response.create' });
      await each.until(() => each.count('response.done') === 1);
      expect(relay.spending.charges[0]).to.include({ basis: 'held', computed: FIRST_HOLD });
    });
  });

  describe('limits that operators set', () => {
    const limited = async (rule: object): Promise<void> => {
      await relay.close();
      const rules = [LimitRule.parse({ id: 'rule', name: 'The rule', per: ['key'], amount: 2, ...rule })];
      await start({}, { limitPolicies: { current: { ...NO_LIMITS, rules } } });
    };

    it('count each response, and refuse one without ending the session', async () => {
      await limited({ measure: 'requests', window: 'hour' });
      const each = await opened();
      for (const count of [1, 2]) {
        each.send({ type: 'response.create' });
        await each.until(() => each.count('response.done') === count);
      }
      each.send({ type: 'response.create', event_id: 'third' });
      await each.until(() => each.count('error') === 1);
      expect(each.events.at(-1)?.['error']).to.include({ code: 'rate_limited', event_id: 'third' });
      expect(each.closed).to.equal(null);
      expect(upstream.sessions[0]?.types()).to.deep.equal(['response.create', 'response.create']);
    });

    it('give a session a place for as long as it lasts', async () => {
      await limited({ measure: 'inFlight', window: undefined });
      const one = await opened();
      await opened();
      one.send({ type: 'response.create' });
      await one.until(() => one.count('response.done') === 1);
      const third = client();
      await third.until(() => third.answer !== null);
      expect(third.answer?.status).to.equal(429);
      one.socket.terminate();
      await one.until(() => relay.openSessions() === 1);
      await opened();
    });
  });

  describe('broken off', () => {
    const halfway = (session: RealtimeUpstream['sessions'][number], { type }: Readonly<Record<string, unknown>>): void => {
      if (type !== 'response.create') return;
      const id = session.begin();
      session.say(id, 'twelve bytes');
      session.speak(id, 48_000);
    };

    it('by the upstream in the middle of a response: charged by what came, the client is told', async () => {
      upstream.onEvent = halfway;
      const each = await opened();
      each.send({ type: 'response.create' });
      await each.until(() => each.count('response.output_audio.delta') === 1);
      upstream.sessions[0]?.socket.terminate();
      await each.until(() => each.closed !== null);
      expect(each.errorCode).to.equal('upstream_failed');
      expect(each.closed?.code).to.equal(1011);
      await relay.idle();
      const [charged] = relay.spending.charges;
      expect(charged?.basis).to.equal('estimated');
      expect(charged?.usage).to.include({ output: 'twelve bytes'.length, audioOutput: 20 });
      expect(charged?.call.errorCode).to.equal('upstream_failed');
    });

    it('by the upstream before a response began: nothing is charged, and that it may be billed is on record', async () => {
      upstream.onEvent = (session) => session.socket.terminate();
      const each = await opened();
      each.send({ type: 'response.create' });
      await each.until(() => each.closed !== null);
      await relay.idle();
      expect(relay.spending.charges).to.have.length(0);
      expect(relay.spending.releases).to.have.length(1);
      expect(relay.spending.releases[0]).to.include({ reason: 'upstream_failed', reconcile: true });
    });

    it('by the client in the middle of a response: charged by what came, the upstream is left', async () => {
      upstream.onEvent = halfway;
      const each = await opened();
      each.send({ type: 'response.create' });
      await each.until(() => each.count('response.output_audio.delta') === 1);
      each.socket.terminate();
      await each.until(() => upstream.sessions[0]?.closed !== null);
      await relay.idle();
      const [charged] = relay.spending.charges;
      expect(charged?.basis).to.equal('estimated');
      expect(charged?.call.status).to.equal(499);
      expect(relay.lines.find(({ basis }) => basis === 'estimated')?.clientLeft).to.equal(true);
    });

    it('by nobody, after a failed response that reports nothing: it costs nothing', async () => {
      upstream.onEvent = (session, { type }) => {
        if (type === 'response.create') session.done(session.begin(), null, 'failed');
      };
      const each = await opened();
      each.send({ type: 'response.create' });
      await each.until(() => each.count('response.done') === 1);
      expect(relay.spending.charges).to.have.length(0);
      expect(relay.spending.releases[0]).to.include({ reason: 'upstream_failed' });
    });

    it('by a restart: at once where nothing runs, behind the response where one does', async () => {
      const idle = await opened();
      upstream.onEvent = halfway;
      const busy = await opened();
      busy.send({ type: 'response.create' });
      await busy.until(() => busy.count('response.output_audio.delta') === 1);
      const drained = relay.inFlight.drain(10_000);
      await idle.until(() => idle.closed !== null);
      expect(idle.closed?.code).to.equal(1012);
      expect(busy.closed).to.equal(null);
      upstream.sessions[1]?.done('resp_1');
      await busy.until(() => busy.closed !== null);
      expect(busy.closed?.code).to.equal(1012);
      expect(busy.count('response.done')).to.equal(1);
      await drained;
      expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['reported']);
    });

    it('by the operator who disables the key, within a second', async () => {
      await relay.close();
      const stopwatch = handStopwatch();
      await start({}, { stopwatch });
      const each = await opened();
      relay.directory.token = { ...relay.directory.token, disabled: true };
      stopwatch.advance(999);
      await each.until(() => each.closed !== null);
      expect(each.errorCode).to.equal('key_disabled');
      expect(each.closed?.code).to.equal(1008);
      expect(upstream.sessions[0]?.closed === null || upstream.sessions[0]?.closed.code === 1000).to.equal(true);
    });

    it('by time: when nobody says anything, when it has lasted, when a side does not answer', async () => {
      const stopwatch = handStopwatch();
      await relay.close();
      await start({ sessions: { idleMs: 50 } }, { stopwatch });
      const silent = await opened();
      stopwatch.advance(51);
      await silent.until(() => silent.closed !== null);
      expect(silent.closed).to.deep.equal({ code: 1001, reason: 'nobody said anything' });
      await relay.close();
      await start({ sessions: { sessionMs: 50 } }, { stopwatch });
      const old = await opened();
      stopwatch.advance(51);
      await old.until(() => old.closed !== null);
      expect(old.closed?.code).to.equal(1001);
      await relay.close();
      await start({ sessions: { pingMs: 40 } }, { stopwatch });
      const alive = await opened();
      const served = upstream.sessions.at(-1);
      const mute = await opened();
      mute.socket.pause();
      const asked = once(alive.socket, 'ping');
      stopwatch.advance(41);
      await asked;
      // What comes behind the answers to the pings tells that those have come.
      alive.send({ type: 'input_audio_buffer.clear' });
      await alive.until(() => served?.frames.length === 1);
      served?.socket.send(JSON.stringify({ type: 'x' }));
      await alive.until(() => alive.count('x') === 1);
      stopwatch.advance(41);
      await mute.until(() => upstream.sessions.at(-1)?.closed !== null);
      expect(alive.closed).to.equal(null);
    });
  });

  describe('what should not come', () => {
    it('garbage is answered with an error and goes no further', async () => {
      const each = await opened();
      for (const garbage of [
        '',
        'hello',
        '[1]',
        '{"type":7}',
        '{"type":"a"',
        '{"type":"a","type":"response.create"}',
        '{"Type":"response.create","type":"a"}',
      ])
        each.socket.send(garbage);
      await each.until(() => each.count('error') === 7);
      each.send({ type: 'input_audio_buffer.clear' });
      await each.until(() => upstream.sessions[0]?.frames.length === 1);
      expect(upstream.sessions[0]?.types()).to.deep.equal(['input_audio_buffer.clear']);
    });

    it('frames beyond the size that is taken end the session; frames up to it pass', async () => {
      await relay.close();
      await start({ sessions: { frameBytes: 100_000 } });
      const each = await opened();
      const large = JSON.stringify({ type: 'input_audio_buffer.append', audio: 'A'.repeat(90_000) });
      each.socket.send(large);
      await each.until(() => upstream.sessions[0]?.frames[0]?.length === large.length);
      each.socket.send(JSON.stringify({ type: 'input_audio_buffer.append', audio: 'A'.repeat(110_000) }));
      await each.until(() => each.closed !== null);
      expect(each.closed?.code).to.equal(1009);
      await each.until(() => upstream.sessions[0]?.closed !== null);
      expect(upstream.sessions[0]?.frames).to.have.length(1);
    });

    it('a reader that is slow makes its upstream wait, and one that does not read at all is left', async () => {
      await relay.close();
      await start({ unreadMs: 300, sessions: { unsentBytes: 64 * 1024 } });
      const each = await opened();
      const [session] = upstream.sessions;
      each.socket.pause();
      const frame = JSON.stringify({ type: 'x', pad: 'A'.repeat(64 * 1024) });
      const frames = 1_000;
      for (let sent = 0; sent < frames; sent++) session?.socket.send(frame);
      let left = Number.MAX_SAFE_INTEGER;
      await each.until(() => {
        if (session?.closed === null && relay.openSessions() === 1) left = Math.min(left, session.socket.bufferedAmount);
        return relay.openSessions() === 0;
      });
      // What has left it stands in the connections between, and in the little that the relay holds.
      expect(left).to.be.greaterThan((frames * frame.length) / 2);
      expect(relay.lines.at(-1)?.clientLeft).to.equal(true);
    });

    it('a request for another protocol is answered in the one that it came in', async () => {
      const socket = connect(Number(new URL(relay.url).port), '127.0.0.1');
      const chunks: string[] = [];
      const body = JSON.stringify({ model: 'none', messages: [] });
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      socket.write(body);
      await new Promise<void>((resolve) =>
        socket.on('data', (chunk: Buffer) => {
          chunks.push(chunk.toString());
          if (chunks.join('').includes('}}')) resolve();
        }),
      );
      expect(chunks.join('')).to.match(/^HTTP\/1\.1 (400|404) /);
      expect(chunks.join('')).to.contain('"error"');
      socket.destroy();
    });
  });
});
