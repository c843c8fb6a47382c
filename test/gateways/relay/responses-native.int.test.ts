import { expect } from 'chai';
import OpenAI from 'openai';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { startResponsesUpstream, type ResponsesUpstream } from '../../support/responses-upstream.ts';
import type { Money } from '../../../schemas/money.ts';
import { memoryArchive, type MemoryArchive } from './memory-archive.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const ASKED = { model: 'm', input: 'Look it up.', tools: [{ type: 'web_search' as const }] };
const CHARGED = { input: 20, cachedInput: 10, output: 5, reasoning: 4, toolUse: 1 };

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('was answered'),
    (error: unknown) => error,
  );

describe('the Responses API before an upstream that has it', () => {
  let upstream: ResponsesUpstream;
  let plain: FakeUpstream;
  let relay: RelayHarness;
  let kept: MemoryArchive;
  let client: OpenAI;
  before(async () => {
    upstream = await startResponsesUpstream();
    plain = await startFakeUpstream();
  });
  after(async () => {
    await upstream.close();
    await plain.close();
  });
  beforeEach(async () => {
    upstream.behave('well');
    upstream.asked.length = 0;
    plain.reset();
    kept = memoryArchive();
    relay = await startRelay({ archive: kept.archive });
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['m=theirs'], responses: 'native' })];
    relay.directory.prices.set('m', chatPrice('m', { rates: { ...chatPrice('m').rates, toolUse: 10_000_000n as Money } }));
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  it('is asked in the client’s own words, its own tools among them, and charged by what it used', async () => {
    const response = await client.responses.create({ ...ASKED, max_output_tokens: 50, metadata: { a: 'b' } });
    expect(upstream.asked).to.deep.equal([
      { path: '/v1/responses', body: { ...ASKED, model: 'theirs', max_output_tokens: 50, metadata: { a: 'b' }, store: false } },
    ]);
    expect(response.output_text).to.equal('Found it.');
    expect(response).to.deep.include({ model: 'm', their_own: { member: true } });
    expect(response.output.map(({ id }) => id?.replace(/_.*-/, '-'))).to.deep.equal(['rs_theirs', 'ws-1', 'msg-2']);
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([CHARGED]);
    expect(await client.responses.retrieve(response.id)).to.deep.include({ output: response.output });
  });

  it('is refused, and not asked without its tools, where the channel puts a text of its own in front', async () => {
    const systemPrompt = { text: 'Be brief.', place: 'before' as const };
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['m=theirs'], responses: 'native', systemPrompt })];
    expect(await thrown(client.responses.create(ASKED))).to.include({ status: 400, param: 'tools.0' });
    expect(upstream.asked).to.deep.equal([]);
  });

  it('streams its own events, under our names', async () => {
    const types: string[] = [];
    const stream = client.responses.stream(ASKED);
    for await (const event of stream) {
      expect(event.sequence_number).to.equal(types.length);
      types.push(event.type);
      if ('item_id' in event) expect(event.item_id).to.match(/^(ws|msg)_[0-9a-z]+-\d$/);
    }
    expect(types).to.include('response.web_search_call.searching');
    expect(types.at(-1)).to.equal('response.completed');
    const final = await stream.finalResponse();
    expect(final.output_text).to.equal('Found it.');
    expect(final.model).to.equal('m');
    expect(relay.spending.charges.map(({ usage }) => usage)).to.deep.equal([CHARGED]);
    expect((await client.responses.retrieve(final.id)).output).to.have.length(3);
  });

  it('is told what was said before, since it lies here, whoever answered then', async () => {
    const first = await client.responses.create(ASKED);
    await client.responses.create({ model: 'm', input: 'And now?', previous_response_id: first.id });
    const { body } = upstream.asked[1] ?? expect.fail('not asked');
    expect(body).not.to.have.property('previous_response_id');
    expect(JSON.stringify(body)).not.to.contain('"id"');
    expect((body['input'] as { type: string }[]).map(({ type }) => type)).to.deep.equal([
      'message',
      'web_search_call',
      'message',
      'message',
    ]);
    const reference = [{ type: 'item_reference' as const, id: first.output[2]?.id ?? '' }];
    await client.responses.create({ model: 'm', input: reference });
    expect(upstream.asked[2]?.body['input']).to.have.nested.property('[0].content[0].text', 'Found it.');
    expect(await thrown(client.responses.create({ model: 'm', input: [{ type: 'item_reference', id: 'msg_theirs' }] }))).to.include({
      param: 'input.0',
    });
    expect(await thrown(client.responses.create({ model: 'm', input: 'x', previous_response_id: 'resp_theirs' }))).to.include({
      param: 'previous_response_id',
    });

    relay.directory.channels = [channel(plain.baseUrl, { models: ['m=fake-small'] })];
    await client.responses.create({ model: 'm', input: 'And now?', previous_response_id: first.id });
    expect(JSON.parse(String(plain.calls.at(-1)?.body))).to.deep.include({
      messages: [
        { role: 'user', content: 'Look it up.' },
        { role: 'assistant', content: 'Found it.' },
        { role: 'user', content: 'And now?' },
      ],
    });
  });

  it('is found among others that have it not, and nobody else is asked what only it can do', async () => {
    const native = channel(upstream.baseUrl, { models: ['m=theirs'], responses: 'native', priority: -1 });
    relay.directory.channels = [channel(plain.baseUrl, { models: ['m=fake-small'] }), native];
    expect((await client.responses.create(ASKED)).output_text).to.equal('Found it.');
    relay.directory.channels = [channel(plain.baseUrl, { models: ['m=fake-small'] })];
    expect(await thrown(client.responses.create(ASKED))).to.include({ status: 400, param: 'tools.0' });
    expect(plain.calls).to.have.length(0);
  });

  it('says what is wrong in its own words, and breaks off as others do', async () => {
    upstream.behave('refuse');
    expect(await thrown(client.responses.create(ASKED))).to.include({ status: 400, code: 'unknown_tool' });
    for (const how of ['break', 'fail'] as const) {
      upstream.behave(how);
      const text = await (await relay.post('/v1/responses', { ...ASKED, stream: true })).text();
      const events = [...text.matchAll(/^data: (.*)$/gm)].map(
        ([, data]) => JSON.parse(data ?? '') as { type: string; sequence_number: number },
      );
      expect(
        events.slice(-2).map(({ type }) => type),
        how,
      ).to.deep.equal(['error', 'response.failed']);
      expect(
        events.map(({ sequence_number: number }) => number),
        how,
      ).to.deep.equal(events.map((_, at) => at));
    }
    expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated', 'estimated']);
  });
});
