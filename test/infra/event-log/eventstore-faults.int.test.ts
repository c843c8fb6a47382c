import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { openEventStoreLog } from '../../../infra/event-log/eventstoredb/open-eventstore-log.ts';
import type { OpenEventStoreLogOptions } from '../../../infra/event-log/eventstoredb/open-eventstore-log.ts';
import type { LogFault } from '../../../infra/event-log/log-fault.ts';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { START } from '../../../schemas/event-envelope.ts';
import type { LogMessage, Position, RecordedEvent } from '../../../schemas/event-envelope.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { MemoryStore } from '../../support/eventstoredb/memory-store.ts';
import { startEventStoreServer } from '../../support/eventstoredb/server.ts';
import type { EventStoreServer, EventStoreServerOptions } from '../../support/eventstoredb/server.ts';
import { appendOne, appendSurely, appendTo, collect, newEvent, newEvents, stream } from '../../support/log-events.ts';

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await pause(5);
};

describe('the event log on EventStoreDB, when the store does not do as it should', function () {
  this.timeout(60_000);
  let closers: (() => Promise<void>)[] = [];
  let faults: LogFault[] = [];
  let abort: AbortController;

  beforeEach(() => {
    faults = [];
    abort = new AbortController();
  });
  afterEach(async () => {
    abort.abort();
    for (const close of closers.reverse()) await close();
    closers = [];
  });

  const serve = async (options: EventStoreServerOptions = {}): Promise<EventStoreServer> => {
    const server = await startEventStoreServer(options);
    closers.push(() => server.close());
    return server;
  };
  const open = async (connectionString: string, options: Partial<OpenEventStoreLogOptions> = {}): Promise<EventLog> => {
    const log = await openEventStoreLog({ connectionString, onFault: (fault) => faults.push(fault), ...options });
    closers.push(() => log.close());
    return log;
  };
  const outcomeOf = async (log: EventLog, name: string): Promise<string> => (await appendOne(log, appendTo(name, 'any'))).outcome;

  it('gives up an append that is never answered at its deadline, and finds it written afterwards', async () => {
    const server = await serve();
    const log = await open(server.connectionString, { appendMs: 300 });
    server.faults.armAppend('silent-after');
    const append = appendTo('test-a', 'no_stream', newEvents(2));
    const began = performance.now();
    expect((await appendOne(log, append)).outcome).to.equal('unknown');
    expect(performance.now() - began).to.be.at.least(290);
    expect(await appendSurely(log, append)).to.include({ outcome: 'appended', revision: 1, repeated: true });
    expect(server.store.stream('test-a')).to.have.length(2);
  });

  it('waits for slow answers as long as they keep coming', async () => {
    const server = await serve();
    const log = await open(server.connectionString, { appendMs: 400 });
    server.faults.answerDelayMs = 60;
    const outcomes = await log.append(Array.from({ length: 12 }, (_, i) => appendTo(`test-${i}`, 'no_stream')));
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(Array.from({ length: 12 }, () => 'appended'));
    expect(faults).to.deep.equal([]);
  });

  it('gives up a read that is never answered, and reads on when the server speaks again', async () => {
    const server = await serve();
    const log = await open(server.connectionString, { readMs: 200 });
    await appendOne(log, appendTo('test-a', 'no_stream'));
    server.faults.silentReads = true;
    const asked = server.calls.length;
    const reading = collect(log.readStream(stream('test-a')));
    // Once, and once more after the deadline.
    await until(() => server.calls.length >= asked + 2);
    server.faults.silentReads = false;
    expect(await reading).to.have.length(1);
    server.faults.silentReads = true;
    const error = await log.head().catch((thrown: unknown) => thrown);
    expect(error).to.have.property('code', 'log_unavailable');
    server.faults.silentReads = false;
  });

  it('keeps what befalls one log’s appends from another’s in the same process', async () => {
    const [one, two] = [await serve(), await serve()];
    const [cut, well] = [await open(one.connectionString), await open(two.connectionString)];
    two.faults.answerDelayMs = 300;
    one.faults.armAppend('cut-before');
    const slow = outcomeOf(well, 'test-a');
    expect(await outcomeOf(cut, 'test-a')).to.equal('unknown');
    expect(await slow).to.equal('appended');
  });

  it('goes where the leader is when the node it knows is none', async () => {
    const store = new MemoryStore();
    const leader = await serve({ store });
    const follower = await serve({ store, leader: () => leader });
    const log = await open(follower.connectionString);
    const append = appendTo('test-a', 'no_stream');
    expect(await appendSurely(log, append)).to.include({ outcome: 'appended', revision: 0 });
    expect(leader.calls).to.include('batchAppend');
    expect(store.stream('test-a')).to.have.length(1);
  });

  it('appends to the leader of a cluster and follows the node that is preferred, through a change of leader', async () => {
    const store = new MemoryStore();
    const members: EventStoreServer[] = [];
    let leads = 0;
    const options = { store, leader: () => members[leads] as EventStoreServer, members: () => members };
    for (let i = 0; i < 3; i++) members.push(await serve(options));
    const hosts = members.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const log = await open(`esdb://${hosts}?tls=false&nodePreference=follower`, { pollMs: 200 });
    expect(await appendSurely(log, appendTo('test-a', 'no_stream'))).to.include({ outcome: 'appended' });
    expect(members[0]?.calls).to.include('batchAppend');
    const messages = log.subscribe({ after: START, signal: abort.signal })[Symbol.asyncIterator]();
    const first = (await messages.next()).value as LogMessage;
    expect(first.kind).to.equal('events');
    // The leader read for is that of the time; what follows is read from the two others.
    expect(members.slice(1).some(({ calls }) => calls.includes('read'))).to.equal(true);

    await members[0]?.stop();
    leads = 1;
    const append = appendTo('test-a', 0);
    expect(await appendSurely(log, append)).to.include({ outcome: 'appended', revision: 1 });
    for (;;) {
      const { value } = (await messages.next()) as { value: LogMessage };
      if (value.kind === 'events' && value.events.some(({ eventId }) => eventId === append.events[0]?.eventId)) break;
    }
    await members[0]?.start();
  });

  it('speaks TLS and gives the credentials of the connection string; without them it is not let in', async () => {
    const tls = makeCertificate();
    closers.push(async () => tls.remove());
    const server = await serve({ tls, credentials: { user: 'ops', password: 'p:ss word' } });
    const file = encodeURIComponent(tls.file);
    const log = await open(`esdb://ops:p%3Ass%20word@localhost:${server.port}?tls=true&tlsCAFile=${file}`);
    expect(await outcomeOf(log, 'test-a')).to.equal('appended');
    const refused = await open(`esdb://ops:other@localhost:${server.port}?tls=true&tlsCAFile=${file}`).catch((thrown: unknown) => thrown);
    expect(refused).to.be.instanceOf(Error);
    const untrusted = await open(`esdb://ops:p%3Ass%20word@localhost:${server.port}?tls=true`).catch((thrown: unknown) => thrown);
    expect(untrusted).to.be.instanceOf(Error);
  });

  it('never repeats a connection string that it cannot use', async () => {
    for (const wrong of ['esdb://ops:hush@host:2113?colour=hush2', 'esdb://ops:hush@host:port', 'esdb://ops:hush@h:1?tls=hush']) {
      const error = (await open(wrong).catch((thrown: unknown) => thrown)) as Error;
      expect(error, wrong).to.be.instanceOf(Error);
      expect(`${error.message} ${error.stack ?? ''} ${JSON.stringify(error)}`).not.to.contain('hush');
    }
  });

  it('rejects what the server is set to take no more of, and lets the rest of the batch through', async () => {
    const server = await serve({ maxAppendBytes: 100_000 });
    const log = await open(server.connectionString);
    const large = newEvent({ data: { text: 'x'.repeat(200_000) } });
    const outcomes = await log.append([
      appendTo('test-a', 'no_stream'),
      appendTo('test-a', 0, [large]),
      appendTo('test-a', 'any'),
      appendTo('test-b', 'any'),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['appended', 'rejected', 'appended', 'appended']);
    expect(outcomes[1]).to.include({ reason: 'append_too_large' });
    expect(server.store.stream('test-a')).to.have.length(2);
  });

  it('finds a repeat that the server has long forgotten, and one that came from elsewhere', async () => {
    const server = await serve();
    const [one, two] = [await open(server.connectionString), await open(server.connectionString)];
    const append = appendTo('test-a', 'no_stream', newEvents(2));
    await appendSurely(one, append);
    await appendSurely(one, appendTo('test-a', 1, newEvents(5)));
    server.store.forgetRecent();
    for (const expected of ['any', 'stream_exists', 6, 0] as const) {
      expect(await appendOne(two, { ...append, expectedRevision: expected })).to.include({
        outcome: 'appended',
        revision: 1,
        repeated: true,
      });
    }
    expect(server.store.stream('test-a')).to.have.length(7);
  });

  it('re-decides nothing by itself: who expected a revision that others took is told where the stream is', async () => {
    const server = await serve();
    const [one, two] = [await open(server.connectionString), await open(server.connectionString)];
    await appendSurely(one, appendTo('test-a', 'no_stream'));
    await appendSurely(two, appendTo('test-a', 0, newEvents(3)));
    // Its own knowledge of the stream ends at 0.
    expect(await appendOne(one, appendTo('test-a', 0))).to.deep.equal({ outcome: 'conflict', actual: 3 });
    expect(await appendOne(one, appendTo('test-a', 'any'))).to.include({ outcome: 'appended', revision: 4 });
  });

  it('brings a filtered reader up by the server, and gives no checkpoint ahead of an event, however slow the reader', async () => {
    const server = await serve();
    const log = await open(server.connectionString, { catchUpBytes: 0n });
    const wanted: string[] = [];
    for (let i = 0; i < 40; i++) {
      const event = newEvent({ type: 'Wanted' });
      wanted.push(event.eventId);
      await log.append([appendTo(`noise-${i}`, 'any', newEvents(60)), appendTo('test-a', 'any', [event])]);
    }
    const head = await log.head();
    let passed: Position = START;
    const seen: RecordedEvent[] = [];
    const kinds: string[] = [];
    let isCut = false;
    for await (const message of log.subscribe({ after: START, filter: { types: ['Wanted'] }, signal: abort.signal })) {
      kinds.push(message.kind);
      if (message.kind === 'events') {
        for (const event of message.events) {
          expect(event.position > passed).to.equal(true);
          passed = event.position;
          seen.push(event);
        }
        await pause(2);
        if (!isCut) server.cutAll();
        isCut = true;
      } else {
        expect(message.position >= passed).to.equal(true);
        passed = message.position;
      }
      if (message.kind === 'caughtUp' && passed === head) break;
    }
    expect(seen.map(({ eventId }) => eventId)).to.deep.equal(wanted);
    expect(kinds).to.include('checkpoint');
  });

  it('brings a filtered reader up from a number where no event lies', async () => {
    const server = await serve();
    const log = await open(server.connectionString, { catchUpBytes: 0n });
    const wanted = newEvents(3, { type: 'Wanted' });
    for (const event of wanted) await log.append([appendTo('noise-a', 'any', newEvents(20)), appendTo('test-a', 'any', [event])]);
    const seen: string[] = [];
    for await (const message of log.subscribe({ after: 7n as Position, filter: { types: ['Wanted'] }, signal: abort.signal })) {
      if (message.kind === 'events') seen.push(...message.events.map(({ eventId }) => eventId));
      if (message.kind === 'caughtUp') break;
    }
    expect(seen).to.deep.equal(wanted.map(({ eventId }) => eventId));
  });

  it('passes over the store’s own events and those of strangers', async () => {
    const server = await serve();
    const log = await open(server.connectionString);
    await appendSurely(log, appendTo('test-a', 'no_stream'));
    const head = await log.head();
    for (let i = 0; i < 700; i++) {
      server.store.write('stranger-1', 'any', [
        {
          id: crypto.randomUUID(),
          type: 'Odd',
          contentType: 'application/octet-stream',
          data: Buffer.from('\0'),
          metadata: new Uint8Array(),
        },
      ]);
    }
    expect(await log.head()).to.equal(head);
    expect(await collect(log.readAll())).to.have.length(1);
    const messages = log.subscribe({ after: head, signal: abort.signal })[Symbol.asyncIterator]();
    expect((await messages.next()).value).to.deep.equal({ kind: 'caughtUp', position: head });
    const waiting = messages.next();
    await appendSurely(log, appendTo('test-a', 0));
    expect(((await waiting).value as LogMessage).kind).to.equal('events');
  });

  it('stops a reader whose log was put back to an earlier state', async () => {
    const server = await serve();
    const log = await open(server.connectionString, { pollMs: 100 });
    await appendSurely(log, appendTo('test-a', 'no_stream', newEvents(5)));
    const head = await log.head();
    server.store.truncate(3);
    const error = await collect(log.subscribe({ after: head, signal: abort.signal })).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('name', 'LogBehindReader');
  });

  it('finds a subscription that has died without a word', async () => {
    const server = await serve();
    const log = await open(server.connectionString, { pollMs: 100, readMs: 300 });
    await appendSurely(log, appendTo('test-a', 'no_stream'));
    const head = await log.head();
    const messages = log.subscribe({ after: head, signal: abort.signal })[Symbol.asyncIterator]();
    await messages.next();
    const waiting = messages.next();
    server.faults.silentSubscriptions = true;
    await appendSurely(log, appendTo('test-a', 0));
    await until(() => faults.some(({ what }) => what === 'listen_failed'));
    server.faults.silentSubscriptions = false;
    expect(((await waiting).value as LogMessage).kind).to.equal('events');
  });

  it('refuses to open where there is no server', async () => {
    const server = await startEventStoreServer();
    await server.close();
    const error = await openEventStoreLog({ connectionString: server.connectionString }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Error);
  });
});
