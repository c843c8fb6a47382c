import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { eventsTopic } from '../../../infra/bridge/bridge-topics.ts';
import { kafkaTarget } from '../../../infra/bridge/kafka-target.ts';
import { openEventStoreLog } from '../../../infra/event-log/eventstoredb/open-eventstore-log.ts';
import { openKafka } from '../../../infra/kafka/open-kafka.ts';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import type { Records } from '../../../projections/ports/records.ts';
import { START, type RecordedEvent } from '../../../schemas/event-envelope.ts';
import { startEventStoreServer } from '../../support/eventstoredb/server.ts';
import { bridgeConfig, openMigratedLog, openRecords, startTestBridge } from '../../support/kafka/bridge-setting.ts';
import type { BridgePlace, TestBridge } from '../../support/kafka/bridge-setting.ts';
import { expectAllOnce, readBridgedEvents } from '../../support/kafka/bridged-events.ts';
import type { BridgedEvents } from '../../support/kafka/bridged-events.ts';
import { testKafka } from '../../support/kafka/kafka.ts';
import { silentLog } from '../../support/kafka/silent-log.ts';
import { appendSurely, appendTo, collect, newEvent, newEvents } from '../../support/log-events.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { testDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

describe('the bridge from the log to Kafka', function () {
  this.timeout(40_000);
  let database: TestDatabase;
  let place: BridgePlace;
  let log: EventLog;
  let records: Records;
  const ends: (() => Promise<void>)[] = [];

  before(async function () {
    this.timeout(120_000);
    await testKafka();
  });
  beforeEach(async () => {
    const kafka = await testKafka();
    database = await testDatabase();
    place = { ...kafka, databaseUrl: database.url };
    log = await openMigratedLog(database.url);
    records = openRecords(kafka.brokers);
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await log.close();
    await records.close();
    await database.drop();
  });

  const bridge = (feed = log, name = 'one'): TestBridge => {
    const started = startTestBridge(place, feed, name);
    ends.push(started.stop);
    return started;
  };
  const read = (): BridgedEvents => {
    const reader = readBridgedEvents(records, eventsTopic({ KAFKA_TOPIC_PREFIX: place.prefix }));
    ends.push(() => reader.stop());
    return reader;
  };
  const append = async (count: number, each: EventLog = log): Promise<void> => {
    for (let i = 0; i < count; i += 1) await appendSurely(each, appendTo(`account-${i % 7}`, 'any', newEvents(1 + (i % 3))));
  };
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) await pause(20);
  };

  it('hands on what there was and what comes, whole, once and in order', async () => {
    await append(30);
    await appendSurely(
      log,
      appendTo('session-1', 'no_stream', [newEvent({ data: { text: 'Çà et là 🚀', list: [1, null, { a: true }] } })]),
    );
    const one = bridge();
    const reader = read();
    await reader.seen(61);
    await append(12);
    await reader.seen(85);
    await expectAllOnce(log, reader.events);
    expect(await one.figure('oblivious_bridge_events_total')).to.equal(85);
    await until(async () => (await one.figure('oblivious_bridge_position')) === 85);
    expect(await one.figure('oblivious_bridge_lag_positions')).to.equal(0);
    expect(await one.figure('oblivious_bridge_active')).to.equal(1);
  });

  it('goes on where it was when it is started again', async () => {
    await append(10);
    const reader = read();
    for (let i = 1; i <= 3; i += 1) {
      const one = bridge();
      await append(10);
      await reader.seen(19 * (i + 1));
      await one.stop();
    }
    await expectAllOnce(log, reader.events);
  });

  it('acts in one process of two, and in the other as soon as that one ends', async () => {
    const one = bridge(log, 'one');
    await until(async () => (await one.figure('oblivious_bridge_active')) === 1);
    const two = bridge(log, 'two');
    const reader = read();
    await append(10);
    await reader.seen(19);
    expect(await two.figure('oblivious_bridge_active')).to.equal(0);
    expect(await two.figure('oblivious_bridge_events_total')).to.equal(0);
    await one.stop();
    await append(10);
    await reader.seen(38);
    expect(await two.figure('oblivious_bridge_active')).to.equal(1);
    expect(await one.figure('oblivious_bridge_active')).to.equal(0);
    await expectAllOnce(log, reader.events);
  });

  it('fences a session that another one follows upon: nobody sees what it still writes', async () => {
    await append(4);
    const events: RecordedEvent[] = await collect(log.readAll());
    const kafka = openKafka(bridgeConfig(place), silentLog);
    const target = kafkaTarget({ kafka, topics: bridgeConfig(place), holder: 'test' });
    const reader = read();
    const old = await target.open(1n);
    expect(old.position).to.equal(START);
    expect((await old.publish(events.slice(0, 3))).outcome).to.equal('published');
    const young = await target.open(2n);
    expect(young.position).to.equal(events[2]?.position);
    expect((await old.publish(events.slice(3, 5))).outcome).to.equal('fenced');
    expect((await young.publish(events.slice(3))).outcome).to.equal('published');
    await reader.seen(events.length);
    await expectAllOnce(log, reader.events);
    await old.close();
    await young.close();
    const third = await target.open(3n);
    expect(third.position).to.equal(events.at(-1)?.position);
    await third.close();
  });

  it('takes events as large and as many at once as the log does', async () => {
    const text = Array.from({ length: 1_000_000 }, (_, i) => String.fromCharCode(97 + ((i * 7_919 + (i >> 5)) % 26))).join('');
    bridge();
    const reader = read();
    for (let i = 0; i < 3; i += 1) await appendSurely(log, appendTo(`document-${i}`, 'no_stream', [newEvent({ data: { text } })]));
    await appendSurely(log, appendTo('account-1', 'no_stream', newEvents(1_000)));
    await reader.seen(1_003);
    await expectAllOnce(log, reader.events);
  });

  it('waits while the log is away, and hands nothing on twice that comes again', async () => {
    const memory = memoryLog();
    const one = bridge(memory);
    const reader = read();
    await append(10, memory);
    await reader.seen(19);
    memory.cut();
    await pause(100);
    memory.mend();
    memory.redeliver();
    await append(10, memory);
    await reader.seen(38);
    await expectAllOnce(memory, reader.events);
    expect(await one.figure('oblivious_bridge_events_total')).to.equal(38);
  });

  it('works with the positions of EventStoreDB, which count bytes', async () => {
    const server = await startEventStoreServer();
    ends.push(() => server.close());
    const store = await openEventStoreLog({ connectionString: server.connectionString });
    ends.push(() => store.close());
    await append(10, store);
    const reader = read();
    const one = bridge(store);
    await reader.seen(19);
    await one.stop();
    await append(10, store);
    bridge(store, 'two');
    await reader.seen(38);
    server.cutAll();
    await append(5, store);
    await reader.seen(47);
    await expectAllOnce(store, reader.events);
  });

  it('refuses to go on behind the end of a log that has lost events, and says so', async () => {
    const memory = memoryLog();
    const reader = read();
    const one = bridge(memory);
    await append(10, memory);
    await reader.seen(19);
    await one.stop();
    const two = bridge(log, 'two');
    await append(3);
    await until(async () => (await two.figure('oblivious_bridge_failures_total{reason="LogBehindReader"}')) >= 1);
    expect(reader.events).to.have.length(19);
  });
});
