import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import type { CommandId, EventId, StreamName } from '../../schemas/ids.ts';
import { START, type LogMessage, type NewEvent, type Position } from '../../schemas/event-envelope.ts';
import { memoryLog } from './memory-log.ts';

const newEvent = (type = 'ChannelEnabled', data: NewEvent['data'] = {}): NewEvent => ({
  eventId: randomUUID() as EventId,
  type,
  schemaVersion: 1,
  data,
  metadata: {
    correlationId: 'c',
    causationId: 'c',
    commandId: 'c' as CommandId,
    actor: { kind: 'system', id: 's' },
    tenant: 'platform',
    occurredAt: '2026-01-01T00:00:00.000Z',
  },
});
const stream = (name: string): StreamName => name as StreamName;

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
};

describe('memory log', () => {
  it('appends a batch with an outcome for each stream, one conflict failing nothing else', async () => {
    const log = memoryLog();
    const [a, b, c] = await log.append([
      { stream: stream('user-a'), expectedRevision: 'no_stream', events: [newEvent(), newEvent()] },
      { stream: stream('user-b'), expectedRevision: 4, events: [newEvent()] },
      { stream: stream('user-c'), expectedRevision: 'any', events: [newEvent()] },
    ]);
    expect(a).to.include({ outcome: 'appended', revision: 1, repeated: false });
    expect(b).to.deep.equal({ outcome: 'conflict', actual: 'no_stream' });
    expect(c).to.include({ outcome: 'appended', revision: 0 });
    expect(await log.head()).to.equal(log.events.at(-1)?.position);
  });

  it('recognises a repeated append under any expected revision, and not a half of one', async () => {
    const log = memoryLog();
    const events = [newEvent(), newEvent()];
    const [first] = await log.append([{ stream: stream('user-a'), expectedRevision: 'no_stream', events }]);
    await log.append([{ stream: stream('user-a'), expectedRevision: 1, events: [newEvent()] }]);
    const [again] = await log.append([{ stream: stream('user-a'), expectedRevision: 'no_stream', events }]);
    const [other] = await log.append([{ stream: stream('user-a'), expectedRevision: 2, events }]);
    expect(again).to.deep.equal({ ...first, repeated: true });
    expect(other).to.deep.equal({ ...first, repeated: true });
    const [half] = await log.append([{ stream: stream('user-a'), expectedRevision: 2, events: [events[1] as NewEvent, newEvent()] }]);
    expect(half).to.deep.equal({ outcome: 'conflict', actual: 2 });
    expect(log.events).to.have.length(3);
  });

  it('answers unknown with and without having written, and the same append then settles it', async () => {
    const log = memoryLog();
    const append = { stream: stream('user-a'), expectedRevision: 'no_stream' as const, events: [newEvent()] };
    log.loseNextAnswer(false);
    expect((await log.append([append]))[0]?.outcome).to.equal('unknown');
    expect(log.events).to.have.length(0);
    log.loseNextAnswer(true);
    expect((await log.append([append]))[0]?.outcome).to.equal('unknown');
    expect((await log.append([append]))[0]).to.include({ outcome: 'appended', repeated: true });
    expect(log.events).to.have.length(1);
  });

  it('refuses empty, too large and too many', async () => {
    const log = memoryLog();
    const outcomes = await log.append([
      { stream: stream('user-a'), expectedRevision: 'any', events: [] },
      { stream: stream('user-a'), expectedRevision: 'any', events: [newEvent('X', { text: 'x'.repeat(1_048_576) })] },
      { stream: stream('user-a'), expectedRevision: 'any', events: Array.from({ length: 1_001 }, () => newEvent()) },
    ]);
    expect(outcomes.map((outcome) => outcome.outcome === 'rejected' && outcome.reason)).to.deep.equal([
      'append_empty',
      'event_too_large',
      'append_too_large',
    ]);
  });

  it('reads streams both ways and the whole log between positions', async () => {
    const log = memoryLog();
    await log.append([{ stream: stream('user-a'), expectedRevision: 'no_stream', events: [newEvent('A'), newEvent('B'), newEvent('C')] }]);
    await log.append([{ stream: stream('channel-b'), expectedRevision: 'no_stream', events: [newEvent('A')] }]);
    expect((await collect(log.readStream(stream('user-a'), { from: 1 }))).map((event) => event.revision)).to.deep.equal([1, 2]);
    expect(
      (await collect(log.readStream(stream('user-a'), { direction: 'backwards', limit: 2 }))).map((event) => event.revision),
    ).to.deep.equal([2, 1]);
    expect(await collect(log.readStream(stream('user-none')))).to.deep.equal([]);
    expect((await collect(log.readAll({ filter: { types: ['A'] } }))).map((event) => event.stream)).to.deep.equal(['user-a', 'channel-b']);
    expect((await collect(log.readAll({ filter: { types: ['A'], categories: ['channel'] } }))).map((event) => event.stream)).to.deep.equal([
      'channel-b',
    ]);
    const second = log.events[1]?.position as Position;
    expect((await collect(log.readAll({ after: START, upTo: second }))).map((event) => event.type)).to.deep.equal(['A', 'B']);
    expect((await collect(log.readAll({ after: second, limit: 1 }))).map((event) => event.type)).to.deep.equal(['C']);
  });

  it('subscribes: what there was in batches, caught up, then live, with checkpoints for what the filter hides', async () => {
    const log = memoryLog({ batchSize: 2 });
    const append = (type: string) => log.append([{ stream: stream('user-a'), expectedRevision: 'any', events: [newEvent(type)] }]);
    for (const type of ['A', 'A', 'A', 'B']) await append(type);
    const abort = new AbortController();
    const messages: LogMessage[] = [];
    for await (const message of log.subscribe({ after: START, filter: { types: ['A'] }, signal: abort.signal })) {
      messages.push(message);
      if (message.kind === 'caughtUp') {
        await append('B');
        await append('A');
      }
      if (messages.length === 5) await append('B');
      if (messages.length === 6) abort.abort();
    }
    expect(messages.map((message) => (message.kind === 'events' ? message.events.length : message.kind))).to.deep.equal([
      2,
      1,
      'checkpoint',
      'caughtUp',
      1,
      'checkpoint',
    ]);
    expect(messages.flatMap((message) => (message.kind === 'events' ? message.events : [])).map((event) => event.type)).to.deep.equal([
      'A',
      'A',
      'A',
      'A',
    ]);
  });
});
