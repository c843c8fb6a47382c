import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { expect } from 'chai';
import type { Money } from '../../../schemas/money.ts';
import { anthropicError, anthropicEvents, anthropicMessage, startAnthropicMock } from '../../support/fake-upstream/anthropic-mock.ts';
import { geminiError, geminiEvents, geminiResponse, startGeminiMock } from '../../support/fake-upstream/gemini-mock.ts';
import { eventReply, jsonReply, type MockServer } from '../../support/fake-upstream/mock-server.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

/** Strange white space, members that nobody here knows, and a tool that runs at the provider. */
const MESSAGES =
  '{ "model":"m",\n "max_tokens": 900, "new_member": {"a": [1, 2.50]},"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":2}],"messages":[{"role":"user","content":"Grüße"}] }';
const CONTENTS = '{ "contents":[{"role":"user","parts":[{"text":"Grüße"}]}],\n "tools":[{"googleSearch":{}}], "labels": {"a":"b"} }';
const MESSAGES_USAGE = { input: 20, cachedInput: 5, cacheWrite5m: 6, cacheWrite1h: 3, output: 12, reasoning: 4 };
const GEMINI_USAGE = { input: 20, cachedInput: 5, output: 12, reasoning: 4 };

describe('a client and an upstream that speak the same dialect', () => {
  let claude: MockServer;
  let gemini: MockServer;
  let relay: RelayHarness;

  before(async () => {
    claude = await startAnthropicMock();
    gemini = await startGeminiMock();
  });
  after(async () => {
    await claude.close();
    await gemini.close();
  });
  beforeEach(async () => {
    for (const { requests, next } of [claude, gemini]) requests.length = next.length = 0;
    relay = await startRelay();
    relay.directory.channels = [
      channel(`${claude.url}/v1`, { provider: 'anthropic', models: ['m', 'ours=theirs'] }),
      channel(`${gemini.url}/v1beta`, { provider: 'gemini', models: ['g', 'our-g=their-g'] }),
    ];
    for (const model of ['m', 'ours', 'g', 'our-g']) relay.directory.prices.set(model, chatPrice(model));
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  const usages = (): unknown => relay.spending.charges.map(({ usage }) => usage);

  describe('Anthropic’s', () => {
    it('passes the bytes on, both ways, and is charged by what they say', async () => {
      const said = ` ${JSON.stringify({ ...anthropicMessage({ model: 'm', messages: [] }), container: { id: 'x' } })}\n`;
      claude.next.push({ status: 200, headers: { 'content-type': 'application/json' }, pieces: [said] });
      const headers = { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'a,b', 'x-api-key': KEY };
      const answer = await relay.post('/v1/messages', MESSAGES, { headers });
      expect(await answer.text()).to.equal(said);
      const [asked] = claude.requests;
      expect(asked?.body.toString()).to.equal(MESSAGES);
      expect(asked?.headers).to.include({ 'anthropic-version': '2026-10-21', 'anthropic-beta': 'a,b', 'x-api-key': 'sk-upstream-1' });
      expect(asked?.headers).not.to.have.property('authorization');
      expect(usages()).to.deep.equal([MESSAGES_USAGE]);
    });

    it('passes a stream on as it comes, each event once', async () => {
      const events = anthropicEvents(
        anthropicMessage({ model: 'm', messages: [{ role: 'user', content: 'x' }], thinking: { type: 'adaptive' } }),
      );
      claude.next.push(eventReply(events));
      const answer = await relay.post('/v1/messages', {
        model: 'm',
        max_tokens: 99,
        stream: true,
        messages: [{ role: 'user', content: 'x' }],
      });
      expect(await answer.text()).to.equal(events.join(''));
      expect(usages()).to.deep.equal([MESSAGES_USAGE]);
    });

    it('changes nothing but the name of the model', async () => {
      const whole = await relay.post('/v1/messages', MESSAGES.replace('"m"', '"ours"').replace(/"tools":.*?],/, ''));
      expect(await whole.json()).to.deep.equal({
        ...anthropicMessage({ model: 'theirs', messages: [{ role: 'user', content: 'Grüße' }] }),
        model: 'ours',
      });
      expect(claude.requests[0]?.body.toString()).to.equal(MESSAGES.replace('"m"', '"theirs"').replace(/"tools":.*?],/, ''));
      const client = new Anthropic({ apiKey: KEY, baseURL: relay.url, maxRetries: 0 });
      const message = await client.messages
        .stream({ model: 'ours', max_tokens: 99, messages: [{ role: 'user', content: 'x' }] })
        .finalMessage();
      expect([message.model, message.stop_reason, message.usage.output_tokens]).to.deep.equal(['ours', 'end_turn', 16]);
    });

    it('passes errors on as they came, and tries another where the fault is not the caller’s', async () => {
      claude.next.push(anthropicError(400, 'invalid_request_error', 'tools.0: no such thing'));
      const wrong = await relay.post('/v1/messages', MESSAGES);
      expect([wrong.status, await wrong.json()]).to.deep.equal([
        400,
        { type: 'error', error: { type: 'invalid_request_error', message: 'tools.0: no such thing' }, request_id: 'req_mock' },
      ]);
      relay.directory.channels = [channel(`${claude.url}/v1`, { provider: 'anthropic', keys: ['a', 'b'] })];
      claude.next.push(anthropicError(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'));
      expect((await relay.post('/v1/messages', MESSAGES)).status).to.equal(200);
    });

    it('ends a stream that broke off with an error, and charges what was said', async () => {
      const events = anthropicEvents(anthropicMessage({ model: 'm', messages: [] }));
      claude.next.push(eventReply(events.slice(0, 5), { cut: true }));
      const text = await (await relay.post('/v1/messages', { model: 'm', max_tokens: 99, stream: true, messages: [{}] })).text();
      expect(text).to.match(/event: error\n.*"upstream_failed"/);
      expect(text).not.to.include('message_stop');
      expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated']);
      expect(relay.spending.charges[0]?.usage.output).to.be.greaterThan(0);
    });

    it('sets aside what tools that run there may come to, and refuses what has no price', async () => {
      await relay.post('/v1/messages', MESSAGES);
      await relay.post('/v1/messages', MESSAGES.replace(/"tools":.*?],/, ''));
      const [searching, plain] = relay.spending.reservations.map(({ request }) => Number(request.amount));
      expect(searching).to.be.greaterThan(3_000_000_000);
      expect(plain).to.be.lessThan(20_000_000);
      for (const [name, value] of [
        ['speed', 'fast'],
        ['inference_geo', 'us'],
      ] as const) {
        const refused = await relay.post('/v1/messages', { model: 'm', max_tokens: 9, messages: [{}], [name]: value });
        expect([refused.status, JSON.stringify(await refused.json())]).to.satisfy(
          ([status, text]: [number, string]) => status === 400 && text.includes(name),
        );
      }
    });

    it('asks for no more than the balance covers, of thoughts too', async () => {
      relay.spending.balance = 4_000_000n as Money;
      const thinking = { type: 'enabled', budget_tokens: 2_000 };
      await relay.post('/v1/messages', { model: 'm', max_tokens: 4_000, thinking, messages: [{ role: 'user', content: 'x' }] });
      const [asked] = claude.requests;
      expect(asked?.json['max_tokens']).to.be.lessThan(1_000);
      expect(asked?.json).not.to.have.property('thinking');
    });

    it('is said in the hub’s form where only another dialect is spoken, and refused where that cannot be', async () => {
      relay.directory.channels = [channel(`${gemini.url}/v1beta`, { provider: 'gemini', models: ['m'] })];
      const refused = await relay.post('/v1/messages', MESSAGES);
      expect([refused.status, JSON.stringify(await refused.json())]).to.satisfy(
        ([status, text]: [number, string]) => status === 400 && text.includes('web_search'),
      );
      const said = await relay.post('/v1/messages', { model: 'm', max_tokens: 99, messages: [{ role: 'user', content: 'x' }] });
      expect(await said.json()).to.deep.include({ model: 'm', content: [{ type: 'text', text: 'Hello there.' }] });
      relay.directory.channels = [...relay.directory.channels, channel(`${claude.url}/v1`, { provider: 'anthropic', priority: -1 })];
      expect((await relay.post('/v1/messages', MESSAGES)).status).to.equal(200);
    });
  });

  describe('Gemini’s', () => {
    const ADDRESS = '/v1beta/models/g:generateContent';
    const STREAM = '/v1beta/models/g:streamGenerateContent';

    it('passes the bytes on, both ways, and is charged by what they say', async () => {
      const said = ` ${JSON.stringify(geminiResponse({ contents: [{ parts: [] }] }))}\n`;
      gemini.next.push({ status: 200, headers: { 'content-type': 'application/json' }, pieces: [said] });
      const answer = await relay.post(ADDRESS, CONTENTS);
      expect(await answer.text()).to.equal(said);
      const [asked] = gemini.requests;
      expect([asked?.path, asked?.body.toString()]).to.deep.equal([ADDRESS, CONTENTS]);
      expect(usages()).to.deep.equal([GEMINI_USAGE]);
    });

    it('passes a stream on as it comes, and as an array where that is asked for', async () => {
      const events = geminiEvents(geminiResponse({ contents: [{ parts: [] }] }));
      gemini.next.push(eventReply(events), eventReply(events));
      expect(await (await relay.post(`${STREAM}?alt=sse`, CONTENTS)).text()).to.equal(events.join(''));
      const array = await (await relay.post(STREAM, CONTENTS)).json();
      expect(array).to.deep.equal(events.map((event) => JSON.parse(event.slice('data: '.length)) as unknown));
      expect(usages()).to.deep.equal([GEMINI_USAGE, GEMINI_USAGE]);
    });

    it('changes nothing but the name of the model', async () => {
      const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: relay.url } });
      const whole = await client.models.generateContent({ model: 'our-g', contents: 'x' });
      expect([whole.modelVersion, whole.text]).to.deep.equal(['our-g', 'Hello there.']);
      expect(gemini.requests[0]?.path).to.equal('/v1beta/models/their-g:generateContent');
      const names: unknown[] = [];
      for await (const { modelVersion } of await client.models.generateContentStream({ model: 'our-g', contents: 'x' }))
        names.push(modelVersion);
      expect(new Set(names)).to.deep.equal(new Set(['our-g']));
    });

    it('is charged for searches, and passes errors on', async () => {
      const [candidate] = geminiResponse({ contents: [{ parts: [] }] })['candidates'] as object[];
      const grounded = {
        candidates: [{ ...candidate, groundingMetadata: { webSearchQueries: ['a', 'b'] } }],
        usageMetadata: { promptTokenCount: 3 },
      };
      gemini.next.push(
        jsonReply(200, grounded),
        eventReply([`data: ${JSON.stringify(grounded)}\n\n`]),
        geminiError(400, 'INVALID_ARGUMENT', 'No.'),
      );
      await relay.post(ADDRESS, CONTENTS);
      await (await relay.post(`${STREAM}?alt=sse`, CONTENTS)).text();
      expect(usages()).to.deep.equal([
        { input: 3, toolUse: 1 },
        { input: 3, toolUse: 1 },
      ]);
      expect(await (await relay.post(ADDRESS, CONTENTS)).json()).to.deep.equal({
        error: { code: 400, message: 'No.', status: 'INVALID_ARGUMENT', details: [] },
      });
    });

    it('does not take half a stream for a whole one', async () => {
      const events = geminiEvents(geminiResponse({ contents: [{ parts: [] }] }));
      gemini.next.push(eventReply(events.slice(0, 1)), eventReply(events.slice(0, 1)));
      expect(await (await relay.post(`${STREAM}?alt=sse`, CONTENTS)).text()).to.include('"upstream_failed"');
      expect(JSON.stringify(await (await relay.post(STREAM, CONTENTS)).json())).to.include('"upstream_failed"');
      expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated', 'estimated']);
    });
  });
});
