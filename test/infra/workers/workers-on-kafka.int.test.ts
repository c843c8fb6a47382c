import { expect } from 'chai';
import { workerOf } from '../../../commands/workers/worker.ts';
import { openKafka } from '../../../infra/kafka/open-kafka.ts';
import { KafkaRecords } from '../../../infra/kafka/records.ts';
import { openReadModels, type ReadModels } from '../../../infra/read-models/read-models.ts';
import { workerCare } from '../../../infra/workers/worker-care.ts';
import { refuse } from '../../../schemas/errors.ts';
import { toEventRecord } from '../../../schemas/event-record.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { testDatabase, type TestDatabase } from '../../support/postgres.ts';
import { testKafka } from '../../support/kafka/kafka.ts';
import { silentLog } from '../../support/kafka/silent-log.ts';
import { wallClock } from '../../support/projecting.ts';
import { recordName } from '../../support/toy-projections.ts';
import { eventually, startWorking } from '../../support/working.ts';

describe('workers as consumer groups of Kafka', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let models: ReadModels;
  let records: KafkaRecords;
  let prefix: string;
  before(async function () {
    this.timeout(240_000);
    const kafka = await testKafka();
    prefix = kafka.prefix;
    records = new KafkaRecords({ kafka: openKafka({ KAFKA_BROKERS: kafka.brokers, KAFKA_SSL: false }, silentLog), programLog: silentLog });
    database = await testDatabase();
    models = await openReadModels({ kind: 'postgres', connectionString: database.url });
  });
  after(async () => {
    await records.close();
    await models.close();
    await database.drop();
  });

  it('take from the log what Kafka lacks, try again through topics, park in the table, and go on in another process', async () => {
    const log = memoryLog();
    const events = `${prefix}events`;
    await records.ensureTopics([{ topic: events, partitions: 2 }]);
    const publisher = records.publisher(`${prefix}test-bridge`);
    let published = 0;
    /** What the bridge does. */
    const bridge = async (): Promise<void> => {
      const fresh = log.events.slice(published).filter(({ type }) => type !== 'WorkerStarted');
      published = log.events.length;
      expect(await publisher.publish(fresh.map((event) => ({ topic: events, ...toEventRecord(event) })))).to.deep.equal({
        outcome: 'published',
      });
    };
    const written: string[] = [];
    const attempts: string[] = [];
    let ill = true;
    const worker = workerOf<'Registered' | 'ProfileChanged'>({
      name: 'scribe',
      types: ['Registered', 'ProfileChanged'],
      from: 'start',
      handle: async ({ data: { userId, displayName } }, { attempt }) => {
        attempts.push(`${displayName} ${attempt}`);
        if (displayName === 'slow' && attempt < 3) return refuse('upstream_failed', 'not yet');
        if (displayName === 'ill' && ill) return refuse('upstream_failed', 'cannot stand it');
        written.push(`${userId} ${displayName}`);
        return null;
      },
    });
    const start = (processName: string) =>
      startWorking({ log, database: models.database, workers: [worker], processName, kafka: { records, events, prefix } });
    const care = workerCare({ workers: [worker], feed: log, database: models.database, clock: wallClock });

    // Before there was a bridge: in the log and not in Kafka.
    await recordName(log, 'usr_old', 'old');
    published = log.events.length;
    const first = start('one');
    try {
      await first.until('the old one is written', () => written.includes('usr_old old'));
      for (const [user, name] of [
        ['usr_a', 'one'],
        ['usr_b', 'slow'],
        ['usr_c', 'ill'],
        ['usr_b', 'later'],
        ['usr_a', 'two'],
      ] as const)
        await recordName(log, user, name);
      await bridge();
      await first.until(
        'it is parked, and the rest is done',
        async () => written.length === 5 && (await care.status()).rows[0]?.parked === 1,
      );
    } finally {
      await first.stop();
    }
    expect(written).to.have.members(['usr_old old', 'usr_a one', 'usr_a two', 'usr_b slow', 'usr_b later']);
    expect(written.indexOf('usr_b later'), 'a later event overtakes one that failed').to.be.lessThan(written.indexOf('usr_b slow'));
    expect(attempts.filter((each) => each.startsWith('slow'))).to.deep.equal(['slow 1', 'slow 2', 'slow 3']);
    expect(attempts.filter((each) => each.startsWith('ill'))).to.deep.equal(['ill 1', 'ill 2', 'ill 3']);

    await recordName(log, 'usr_d', 'three');
    await bridge();
    const second = start('two');
    try {
      await second.until('the next is written', () => written.includes('usr_d three'));
      const [parked] = (await care.parked({}, { cursor: undefined, limit: 10 })).rows;
      expect(parked).to.include({ worker: 'scribe', type: 'Registered', attempts: 3, error: 'upstream_failed: cannot stand it' });
      ill = false;
      expect(await care.retryParked(parked?.parkedId ?? '')).to.equal(null);
      await eventually('what was parked is written', () => written.includes('usr_c ill'));
      expect(new Set(written).size, 'nothing was done twice').to.equal(written.length);
      await eventually('nothing is behind', async () => (await care.status()).rows[0]?.lagMs === 0);
      expect((await care.status()).rows[0]).to.include({ parked: 0, position: String(log.events.at(-1)?.position) });
    } finally {
      await second.stop();
      await publisher.close();
    }
  });

  it('share the partitions with one that joins, and take over those of one that leaves, while events keep coming', async () => {
    const log = memoryLog();
    const events = `${prefix}shared`;
    await records.ensureTopics([{ topic: events, partitions: 6 }]);
    const publisher = records.publisher(`${prefix}shared-bridge`);
    const done: { readonly by: string; readonly user: string; readonly name: string }[] = [];
    const join = (by: string) =>
      startWorking({
        log,
        database: models.database,
        workers: [
          workerOf<'Registered' | 'ProfileChanged'>({
            name: 'sharer',
            types: ['Registered', 'ProfileChanged'],
            from: 'start',
            handle: async ({ data: { userId, displayName } }) => {
              done.push({ by, user: userId, name: displayName });
              return null;
            },
          }),
        ],
        processName: by,
        kafka: { records, events, prefix },
      });
    let published = 0;
    let round = 0;
    /** A name for each of 24 people, handed on; resolves once `enough` holds, after as many rounds as that takes. */
    const namesUntil = async (enough: (since: number) => boolean): Promise<void> => {
      const since = done.length;
      for (;;) {
        round += 1;
        for (let user = 0; user < 24; user += 1) await recordName(log, `usr_${user}`, `name ${round}`);
        const fresh = log.events.slice(published).filter(({ type }) => type !== 'WorkerStarted');
        published = log.events.length;
        await publisher.publish(fresh.map((event) => ({ topic: events, ...toEventRecord(event) })));
        const expected = round * 24;
        await eventually(`round ${round} is done`, () => new Set(done.map(({ user, name }) => `${user} ${name}`)).size === expected);
        if (enough(since)) return;
      }
    };
    const workedSince = (since: number): Set<string> => new Set(done.slice(since).map(({ by }) => by));

    const one = join('one');
    const stopped: Promise<void>[] = [];
    try {
      await namesUntil(() => true);
      const two = join('two');
      try {
        await namesUntil((since) => workedSince(since).size === 2);
        stopped.push(one.stop());
        await namesUntil((since) => workedSince(since).has('two'));
        await Promise.all(stopped);
        await namesUntil((since) => !workedSince(since).has('one'));
      } finally {
        await two.stop();
      }
    } finally {
      await one.stop();
      await publisher.close();
    }
    for (let user = 0; user < 24; user += 1) {
      const names = done.filter((each) => each.user === `usr_${user}`).map(({ name }) => name);
      // What was under way at a hand-over may be done again, and nothing behind it before that.
      const firsts = names.filter((name, index) => names.indexOf(name) === index);
      expect(firsts).to.deep.equal(Array.from({ length: round }, (_, index) => `name ${index + 1}`));
    }
  });
});
