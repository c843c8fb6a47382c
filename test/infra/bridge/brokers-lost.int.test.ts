import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { eventsTopic } from '../../../infra/bridge/bridge-topics.ts';
import type { Records } from '../../../projections/ports/records.ts';
import { openMigratedLog, openRecords, startTestBridge } from '../../support/kafka/bridge-setting.ts';
import type { TestBridge } from '../../support/kafka/bridge-setting.ts';
import { expectAllOnce, readBridgedEvents } from '../../support/kafka/bridged-events.ts';
import type { BridgedEvents } from '../../support/kafka/bridged-events.ts';
import { startKafka } from '../../support/kafka/kafka-cluster.ts';
import type { KafkaCluster } from '../../support/kafka/kafka-cluster.ts';
import { appendSteadily } from '../../support/kafka/steady-appends.ts';
import type { SteadyAppends } from '../../support/kafka/steady-appends.ts';
import { testDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

describe('the bridge on three brokers', function () {
  this.timeout(180_000);
  let kafka: KafkaCluster;
  let database: TestDatabase;
  let log: EventLog;
  let records: Records;
  let bridge: TestBridge;
  let reader: BridgedEvents;
  let appends: SteadyAppends;

  before(async () => {
    kafka = await startKafka({ brokers: 3 });
    database = await testDatabase();
    log = await openMigratedLog(database.url);
    records = openRecords(kafka.addresses);
    appends = appendSteadily(log, 10);
    bridge = startTestBridge({ brokers: kafka.addresses, prefix: 'test.', databaseUrl: database.url, leaseMs: 5_000 }, log);
    reader = readBridgedEvents(records, eventsTopic({ KAFKA_TOPIC_PREFIX: 'test.' }));
    await reader.seen(50);
  });
  after(async () => {
    await appends.stop();
    await bridge.stop();
    await reader.stop();
    await log.close();
    await records.close();
    await kafka.stop();
    await database.drop();
  });

  /** Everything that was appended up to now has come through. */
  const caughtUp = (): Promise<void> => reader.seen(appends.count);

  it('goes on when one is killed, waits when two are, goes on when they are back: every event once', async () => {
    const [one, two, three] = kafka.brokers;
    if (one === undefined || two === undefined || three === undefined) throw new Error('three brokers were asked for');
    await one.kill();
    await caughtUp();
    await two.kill();
    const before = await bridge.figure('oblivious_bridge_events_total');
    await pause(1_500);
    // What was under way when the second one went may still have come through; from then on nothing is written that only one broker has.
    const during = await bridge.figure('oblivious_bridge_events_total');
    expect(during - before).to.be.lessThan(200);
    expect(appends.count).to.be.greaterThan(during);
    await two.restart();
    await caughtUp();
    await one.restart();
    await caughtUp();
    // What the client takes for dead only when it has not answered for seconds, three times over.
    if (process.env['CHAOS'] === 'long') {
      three.freeze();
      await caughtUp();
      three.thaw();
      await caughtUp();
    }
    await appends.stop();
    await caughtUp();
    await expectAllOnce(log, reader.events);
  });
});
