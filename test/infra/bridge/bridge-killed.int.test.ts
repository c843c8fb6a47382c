import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { eventsTopic } from '../../../infra/bridge/bridge-topics.ts';
import type { Records } from '../../../projections/ports/records.ts';
import { BridgeProcess } from '../../support/kafka/bridge-process/bridge-process.ts';
import { openMigratedLog, openRecords } from '../../support/kafka/bridge-setting.ts';
import type { BridgePlace } from '../../support/kafka/bridge-setting.ts';
import { expectAllOnce, readBridgedEvents } from '../../support/kafka/bridged-events.ts';
import type { BridgedEvents } from '../../support/kafka/bridged-events.ts';
import { testKafka } from '../../support/kafka/kafka.ts';
import { appendSteadily } from '../../support/kafka/steady-appends.ts';
import type { SteadyAppends } from '../../support/kafka/steady-appends.ts';
import { seeded } from '../../support/log-crash/chance.ts';
import { testDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { transpile } from '../../support/transpile.ts';

/** How many bridges are killed, and the seed of when. */
const KILLS = Number(process.env['BRIDGE_KILLS'] ?? 4);
const SEED = Number(process.env['BRIDGE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LEASE_MS = 1_500;

describe('a bridge under appends whose process', function () {
  this.timeout(90_000 + KILLS * 10_000);
  let built: string;
  let script: string;
  let database: TestDatabase;
  let place: BridgePlace;
  let log: EventLog;
  let records: Records;
  let reader: BridgedEvents;
  let appends: SteadyAppends;
  const processes: BridgeProcess[] = [];

  before(async () => {
    // Inside the project, so that packages are found.
    built = mkdtempSync(join(resolve(import.meta.dirname, '../../../node_modules'), '.bridge-'));
    script = transpile(['test/support/kafka/bridge-process/main.ts'], built)[0] as string;
    await testKafka();
  });
  beforeEach(async () => {
    const kafka = await testKafka();
    database = await testDatabase();
    place = { ...kafka, databaseUrl: database.url, leaseMs: LEASE_MS };
    log = await openMigratedLog(database.url);
    records = openRecords(kafka.brokers);
    appends = appendSteadily(log);
  });
  afterEach(async () => {
    await appends.stop();
    await Promise.all(processes.splice(0).map((each) => each.kill()));
    await reader.stop();
    await log.close();
    await records.close();
    await database.drop();
  });
  after(() => rmSync(built, { recursive: true, force: true }));

  const start = (name: string): BridgeProcess => {
    const started = new BridgeProcess(script, name, place);
    processes.push(started);
    return started;
  };
  const read = (): void => {
    reader = readBridgedEvents(records, eventsTopic({ KAFKA_TOPIC_PREFIX: place.prefix }));
  };

  it(`is killed with SIGKILL at any moment hands everything on once (${KILLS} killed, seed ${SEED})`, async () => {
    const chance = seeded(SEED);
    let standing = [start('process-0')];
    read();
    for (let i = 1; i <= KILLS; i += 1) {
      standing.push(start(`process-${i}`));
      // Either may take the lease that the one killed has left.
      const acting = await Promise.race(standing.map((each) => each.acting().then(() => each)));
      await pause(chance() * 400);
      await acting.kill();
      standing = standing.filter((each) => each !== acting);
    }
    await standing[0]?.acting();
    await appends.stop();
    await reader.seen(appends.count);
    await expectAllOnce(log, reader.events);
  });

  it('is stopped past its lease and goes on finds itself fenced', async () => {
    const zombie = start('zombie');
    read();
    await zombie.acting();
    await reader.seen(50);
    const heir = start('heir');
    zombie.freeze();
    await heir.acting();
    await reader.seen(reader.events.length + 100);
    zombie.thaw();
    await zombie.waiting();
    await reader.seen(reader.events.length + 100);
    expect(heir.isActing).to.equal(true);
    await appends.stop();
    await reader.seen(appends.count);
    await expectAllOnce(log, reader.events);
  });
});
