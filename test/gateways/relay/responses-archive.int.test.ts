import { expect } from 'chai';
import OpenAI from 'openai';
import type { UserId } from '../../../schemas/ids.ts';
import { fakeText } from '../../support/fake-upstream/answer.ts';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { memoryArchive, type MemoryArchive } from './memory-archive.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from './relay-harness.ts';

const ASKED = { model: 'm', input: 'What is in the ledger?' };

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('was answered'),
    (error: unknown) => error,
  );

const isStored = (response: unknown): unknown => (response as { store: unknown }).store;

describe('what the Responses API keeps', () => {
  let upstream: FakeUpstream;
  let relay: RelayHarness;
  let kept: MemoryArchive;
  let client: OpenAI;

  const start = async (archive: MemoryArchive['archive'] | null): Promise<void> => {
    relay = await startRelay({ archive });
    relay.directory.channels = [channel(upstream.baseUrl, { models: ['m=fake-small'] })];
    relay.directory.prices.set('m', chatPrice('m'));
    client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
  };
  /** What the upstream was told last, message by message. */
  const told = (): readonly string[] => {
    const { messages } = JSON.parse(String(upstream.calls.at(-1)?.body)) as { messages: { role: string; content: string }[] };
    return messages.map(({ role, content }) => `${role} ${content}`);
  };
  /** Another process on the same log and the same keys. */
  const elsewhere = async (): Promise<void> => {
    await relay.close();
    await start(kept.archive);
  };

  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.reset();
    kept = memoryArchive();
    await start(kept.archive);
  });
  afterEach(async () => {
    await relay.idle();
    expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
    await relay.close();
  });

  it('is there right after the answer, on any process, as it was answered', async () => {
    const whole = await client.responses.create(ASKED);
    const streamed = await client.responses.stream(ASKED).finalResponse();
    expect([isStored(whole), isStored(streamed)]).to.deep.equal([true, true]);
    await elsewhere();
    expect(await client.responses.retrieve(whole.id)).to.deep.include({ id: whole.id, output: whole.output, usage: whole.usage });
    expect((await client.responses.retrieve(streamed.id)).output_text).to.equal(fakeText(16));
  });

  it('is listed item by item, and deleted for good', async () => {
    const { id } = await client.responses.create({
      model: 'm',
      input: ['one', 'two', 'three'].map((content) => ({ role: 'user' as const, content })),
    });
    const texts: unknown[] = [];
    for await (const item of client.responses.inputItems.list(id, { order: 'asc', limit: 2 }))
      texts.push((item as { content: { text: string }[] }).content[0]?.text);
    expect(texts).to.deep.equal(['one', 'two', 'three']);
    const [first] = (await client.responses.inputItems.list(id, { limit: 1 })).data;
    expect(first).to.have.nested.property('content[0].text', 'three');
    await client.responses.delete(id);
    expect(kept.keys.size()).to.equal(0);
    expect(await thrown(client.responses.retrieve(id))).to.be.instanceOf(OpenAI.NotFoundError);
    expect(await thrown(client.responses.delete(id))).to.be.instanceOf(OpenAI.NotFoundError);
    expect(await thrown(client.responses.cancel('resp_none'))).to.be.instanceOf(OpenAI.NotFoundError);
  });

  it('is continued: the upstream is told all that was said, without earlier instructions', async () => {
    const first = await client.responses.create({ ...ASKED, instructions: 'Be brief.' });
    await elsewhere();
    const second = await client.responses.create({ model: 'm', input: 'And then?', previous_response_id: first.id });
    expect(told()).to.deep.equal([`user ${ASKED.input}`, `assistant ${fakeText(16)}`, 'user And then?']);
    await client.responses.create({ model: 'm', input: 'At last?', previous_response_id: second.id, instructions: 'Be wise.' });
    expect(told()).to.deep.equal([
      'system Be wise.',
      `user ${ASKED.input}`,
      `assistant ${fakeText(16)}`,
      'user And then?',
      `assistant ${fakeText(16)}`,
      'user At last?',
    ]);
    await client.responses.delete(first.id);
    const gone = await thrown(client.responses.create({ model: 'm', input: 'x', previous_response_id: second.id }));
    expect(gone).to.be.instanceOf(OpenAI.BadRequestError);
    expect(gone).to.include({ param: 'previous_response_id' });
  });

  it('is referred to item by item', async () => {
    const { output } = await client.responses.create(ASKED);
    const id = output[0]?.id ?? '';
    await client.responses.create({
      model: 'm',
      input: [
        { type: 'item_reference', id },
        { role: 'user', content: 'More.' },
      ],
    });
    expect(told()).to.deep.equal([`assistant ${fakeText(16)}`, 'user More.']);
    for (const unknown of ['msg_none-0', 'msg_1'])
      expect(await thrown(client.responses.create({ model: 'm', input: [{ type: 'item_reference', id: unknown }] }))).to.include({
        param: 'input.0',
      });
  });

  it('makes conversations, which grow with each answer', async () => {
    const conversation = await client.conversations.create({
      metadata: { topic: 'a' },
      items: [{ type: 'message', role: 'user', content: 'My name is Ada.' }],
    });
    await client.responses.create({ ...ASKED, conversation: conversation.id });
    const second = await client.responses.create({ model: 'm', input: 'And then?', conversation: { id: conversation.id } });
    expect(second.conversation).to.deep.equal({ id: conversation.id });
    expect(told()).to.deep.equal(['user My name is Ada.', `user ${ASKED.input}`, `assistant ${fakeText(16)}`, 'user And then?']);
    const types: string[] = [];
    for await (const item of client.conversations.items.list(conversation.id, { order: 'asc', limit: 2 }))
      types.push(item.type === 'message' ? item.role : item.type);
    expect(types).to.deep.equal(['user', 'user', 'assistant', 'user', 'assistant']);

    const { data } = await client.conversations.items.create(conversation.id, {
      items: [{ type: 'message', role: 'user', content: 'Forget this.' }],
    });
    const itemId = data[0]?.id ?? '';
    expect(await client.conversations.items.retrieve(itemId, { conversation_id: conversation.id })).to.deep.include({ id: itemId });
    await client.conversations.items.delete(itemId, { conversation_id: conversation.id });
    expect(await thrown(client.conversations.items.retrieve(itemId, { conversation_id: conversation.id }))).to.be.instanceOf(
      OpenAI.NotFoundError,
    );
    expect((await client.conversations.update(conversation.id, { metadata: { topic: 'b' } })).metadata).to.deep.equal({ topic: 'b' });
    expect(await client.conversations.retrieve(conversation.id)).to.deep.equal({ ...conversation, metadata: { topic: 'b' } });
    await client.conversations.delete(conversation.id);
    expect(await thrown(client.conversations.retrieve(conversation.id))).to.be.instanceOf(OpenAI.NotFoundError);
    expect(await thrown(client.responses.create({ ...ASKED, conversation: conversation.id }))).to.include({ param: 'conversation' });
  });

  it('belongs to its user, whoever else knows the id', async () => {
    const { id, output } = await client.responses.create(ASKED);
    const conversation = await client.conversations.create();
    const other = 'usr_2' as UserId;
    relay.directory.owner = { ...relay.directory.owner, userId: other };
    relay.directory.token = { ...relay.directory.token, userId: other };
    for (const attempt of [
      () => client.responses.retrieve(id),
      () => client.responses.delete(id),
      () => client.responses.cancel(id),
      () => client.responses.inputItems.list(id),
      () => client.conversations.retrieve(conversation.id),
      () => client.conversations.update(conversation.id, { metadata: {} }),
      () => client.conversations.delete(conversation.id),
      () => client.conversations.items.list(conversation.id),
      () => client.conversations.items.create(conversation.id, { items: [{ role: 'user', content: 'x' }] }),
    ])
      expect(await thrown(attempt())).to.be.instanceOf(OpenAI.NotFoundError);
    expect(await thrown(client.responses.create({ ...ASKED, previous_response_id: id }))).to.include({ param: 'previous_response_id' });
    expect(await thrown(client.responses.create({ ...ASKED, conversation: conversation.id }))).to.include({ param: 'conversation' });
    const reference = { type: 'item_reference' as const, id: output[0]?.id ?? '' };
    expect(await thrown(client.responses.create({ model: 'm', input: [reference] }))).to.include({ param: 'input.0' });
    expect(upstream.calls).to.have.length(1);
  });

  it('is nothing where a call says not to, where it cannot be kept, and where the operator keeps nothing', async () => {
    const unkept = await client.responses.create({ ...ASKED, store: false });
    expect(isStored(unkept)).to.equal(false);
    expect(await thrown(client.responses.retrieve(unkept.id))).to.be.instanceOf(OpenAI.NotFoundError);

    for (const cut of [kept.keys, kept.log]) {
      cut.cut();
      const whole = await client.responses.create(ASKED);
      const streamed = await client.responses.stream(ASKED).finalResponse();
      expect([whole.output_text, isStored(whole), streamed.output_text, isStored(streamed)]).to.deep.equal([
        fakeText(16),
        false,
        fakeText(16),
        false,
      ]);
      if (cut === kept.log) expect(await thrown(client.responses.retrieve(whole.id))).to.include({ status: 503 });
      cut.mend();
    }
    expect(relay.lines.filter(({ detail }) => detail?.startsWith('the answer was not kept') === true)).to.have.length(4);
    expect(relay.spending.charges).to.have.length(5);

    await relay.close();
    await start(null);
    const response = await client.responses.create(ASKED);
    expect(isStored(response)).to.equal(false);
    expect(await thrown(client.responses.retrieve(response.id))).to.be.instanceOf(OpenAI.NotFoundError);
    expect(await thrown(client.responses.create({ ...ASKED, previous_response_id: response.id }))).to.include({
      param: 'previous_response_id',
    });
    expect(await thrown(client.conversations.create())).to.be.instanceOf(OpenAI.NotFoundError);
  });
});
