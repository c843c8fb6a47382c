import { expect } from 'chai';
import { workerOf, type AnyWorker, type Worker } from '../../../commands/workers/worker.ts';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import { openReadModels } from '../../../infra/read-models/read-models.ts';
import { WORK_SCHEMA } from '../../../infra/workers/work-schema.ts';
import { workerCare } from '../../../infra/workers/worker-care.ts';
import type { WorkerCare } from '../../../gateways/ports/worker-care.ts';
import { refuse } from '../../../schemas/errors.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { testDatabase } from '../../support/postgres.ts';
import { wallClock } from '../../support/projecting.ts';
import { DATABASES } from '../../support/read-models.ts';
import { recordName } from '../../support/toy-projections.ts';
import { eventually, startWorking, type Working } from '../../support/working.ts';

type NameEvent = 'Registered' | 'ProfileChanged';

/** A worker that writes names down, and fails where the test says so. */
const scribe = (
  fails: (name: string, attempt: number) => boolean | Promise<boolean> = () => false,
  more: Partial<Worker<NameEvent>> = {},
): { readonly worker: AnyWorker; readonly written: string[] } => {
  const written: string[] = [];
  return {
    written,
    worker: workerOf<NameEvent>({
      name: 'scribe',
      types: ['Registered', 'ProfileChanged'],
      from: 'start',
      handle: async ({ data: { userId, displayName } }, { attempt }) => {
        if (await fails(displayName, attempt)) return refuse('upstream_failed', 'cannot stand it');
        written.push(`${userId} ${displayName}`);
        return null;
      },
      ...more,
    }),
  };
};

const unfinished = async (models: ReadModels): Promise<number> =>
  Number((await models.database.query<{ count: bigint }>(`SELECT count(*) AS count FROM ${WORK_SCHEMA}.work`)).rows[0]?.count);

for (const { name, open } of DATABASES) {
  describe(`workers that follow the log, on ${name}`, function () {
    this.timeout(120_000);
    let models: ReadModels;
    let log: MemoryLog;
    let care: WorkerCare;
    const running: Working[] = [];

    beforeEach(async () => {
      models = await open();
      log = memoryLog();
      care = workerCare({
        workers: [{ name: 'scribe', types: ['Registered', 'ProfileChanged'] }],
        feed: log,
        database: models.database,
        clock: wallClock,
      });
    });
    afterEach(async () => {
      await Promise.all(running.splice(0).map((working) => working.stop()));
      await models.close();
    });
    const start = (worker: AnyWorker, processName = 'one'): Working => {
      const working = startWorking({ log, database: models.database, workers: [worker], processName });
      running.push(working);
      return working;
    };
    const record = async (...entries: readonly (readonly [string, string])[]): Promise<void> => {
      for (const [user, display] of entries) await recordName(log, user, display);
    };

    it('begin at the end of the log, and go on where they were', async () => {
      await record(['usr_a', 'before']);
      const first = scribe(undefined, { from: 'head' });
      const working = start(first.worker);
      await working.until('it has begun', () => log.events.some(({ type }) => type === 'WorkerStarted'));
      await record(['usr_a', 'one'], ['usr_b', 'two']);
      await working.until('both are written', () => first.written.length === 2);
      await running.pop()?.stop();
      await record(['usr_c', 'three']);
      const second = scribe(undefined, { from: 'head' });
      await start(second.worker).until('the third is written', () => second.written.length === 1);
      expect([...first.written, ...second.written]).to.deep.equal(['usr_a one', 'usr_b two', 'usr_c three']);
    });

    it('go back to where they began when the database is lost, and never to the beginning of the log', async () => {
      await record(['usr_a', 'before']);
      const first = scribe(undefined, { from: 'head' });
      const working = start(first.worker);
      await working.until('it has begun', () => log.events.some(({ type }) => type === 'WorkerStarted'));
      await record(['usr_a', 'one']);
      await working.until('it is written', () => first.written.length === 1);
      await running.pop()?.stop();
      await models.database.query(`DROP SCHEMA ${WORK_SCHEMA} CASCADE`);
      const second = scribe(undefined, { from: 'head' });
      await start(second.worker).until('it is written again', () => second.written.length === 1);
      expect(second.written).to.deep.equal(['usr_a one']);
    });

    it('try again what failed, while other events go on', async () => {
      const { worker, written } = scribe((display, attempt) => display === 'ill' && attempt < 3);
      await record(['usr_a', 'one'], ['usr_b', 'ill'], ['usr_b', 'later'], ['usr_a', 'two']);
      const working = start(worker);
      await working.until('all are written', () => written.length === 4);
      expect(written.slice(0, 3)).to.deep.equal(['usr_a one', 'usr_b later', 'usr_a two']);
      expect(written[3]).to.equal('usr_b ill');
      await working.until('nothing is left', async () => (await unfinished(models)) === 0);
      expect(working.counts.filter((count) => count === 'scribe failed')).to.have.length(2);
      expect((await care.status()).rows[0]).to.include({ name: 'scribe', waiting: 0, parked: 0, process: 'one' });
    });

    it('park what fails for good, and do it when an operator says so', async () => {
      let ill = true;
      const { worker, written } = scribe((display) => ill && display.startsWith('ill'));
      await record(['usr_a', 'ill 1'], ['usr_b', 'one'], ['usr_c', 'ill 2']);
      const working = start(worker);
      await working.until('both are parked', async () => (await care.status()).rows[0]?.parked === 2);
      expect(written).to.deep.equal(['usr_b one']);
      expect((await care.status()).rows[0]).to.include({ waiting: 0, lagMs: 0 });
      const page = await care.parked({}, { cursor: undefined, limit: 1 });
      const rest = await care.parked({ worker: 'scribe' }, { cursor: page.nextCursor ?? undefined, limit: 1 });
      const [first, second] = [page.rows[0], rest.rows[0]];
      if (first === undefined || second === undefined) throw new Error('two are parked');
      expect(rest.nextCursor).to.equal(null);
      expect(first).to.include({
        worker: 'scribe',
        projection: null,
        stream: 'user-usr_a',
        attempts: 3,
        error: 'upstream_failed: cannot stand it',
      });
      expect(await care.parkedEvent(first.parkedId)).to.have.nested.property('event.data.displayName', 'ill 1');

      ill = false;
      expect(await care.retryParked(first.parkedId)).to.equal(null);
      expect(await care.discardParked(second.parkedId)).to.equal(null);
      await working.until('it is written', () => written.length === 2);
      expect(written).to.deep.equal(['usr_b one', 'usr_a ill 1']);
      await working.until('nothing is left', async () => (await unfinished(models)) === 0);
      for (const gone of [first.parkedId, second.parkedId, 'w999', '7', 'nonsense']) {
        expect(await care.retryParked(gone)).to.include({ refused: 'not_found' });
        expect(await care.discardParked(gone)).to.include({ refused: 'not_found' });
      }
    });

    it('hold back what follows in the stream where they are to keep order, and nothing else', async () => {
      let ill = true;
      const { worker, written } = scribe((display) => ill && display === 'ill', { keepsOrder: true });
      await record(['usr_a', 'ill'], ['usr_b', 'one'], ['usr_a', 'two'], ['usr_a', 'three'], ['usr_b', 'four']);
      const working = start(worker);
      await working.until('it is parked', async () => (await care.status()).rows[0]?.parked === 1);
      await record(['usr_a', 'five'], ['usr_b', 'six']);
      await working.until('the other stream goes on', () => written.length === 3);
      expect(written).to.deep.equal(['usr_b one', 'usr_b four', 'usr_b six']);
      ill = false;
      const [parked] = (await care.parked({}, { cursor: undefined, limit: 10 })).rows;
      await care.retryParked(parked?.parkedId ?? '');
      await working.until('the stream goes on', () => written.length === 7);
      expect(written.slice(3)).to.deep.equal(['usr_a ill', 'usr_a two', 'usr_a three', 'usr_a five']);
    });

    it('count nothing against an event while the log is away', async () => {
      let away = true;
      const { worker, written } = scribe();
      const waits: AnyWorker = {
        ...worker,
        handle: async (event, context) => (away ? refuse('log_unavailable') : worker.handle(event, context)),
      };
      await record(['usr_a', 'one']);
      const working = start(waits);
      await working.until('it was interrupted often', () => working.reports.filter(({ kind }) => kind === 'interrupted').length > 5);
      expect(await unfinished(models)).to.equal(0);
      away = false;
      await working.until('it is written', () => written.length === 1);
      expect(working.counts).to.deep.equal(['scribe done']);
    });

    it('read events that a log delivers twice once', async () => {
      const { worker, written } = scribe();
      await record(['usr_a', 'one']);
      const working = start(worker);
      await working.until('it is written', () => written.length === 1);
      log.redeliver();
      await record(['usr_a', 'two']);
      await working.until('the next is written', () => written.length === 2);
      expect(written).to.deep.equal(['usr_a one', 'usr_a two']);
    });
  });
}

describe('workers in several processes on one PostgreSQL', function () {
  this.timeout(120_000);

  it('follow the log in one of them, hand it over, and share what takes long', async () => {
    const { url, drop } = await testDatabase();
    const log = memoryLog();
    const open = await Promise.all([1, 2].map(() => openReadModels({ kind: 'postgres', connectionString: url })));
    const busy = { now: 0, most: 0 };
    let goOn: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const scribes = open.map(() =>
      scribe(
        async () => {
          busy.most = Math.max(busy.most, ++busy.now);
          await gate;
          busy.now--;
          return false;
        },
        { takesLong: true },
      ),
    );
    const workings = open.map(({ database }, index) =>
      startWorking({ log, database, workers: [scribes[index]?.worker as AnyWorker], processName: `p${index}`, policy: { atOnce: 1 } }),
    );
    const care = workerCare({
      workers: [{ name: 'scribe', types: ['Registered'] }],
      feed: log,
      database: open[0]?.database as never,
      clock: wallClock,
    });
    try {
      for (const user of ['a', 'b', 'c', 'd', 'e', 'f']) await recordName(log, `usr_${user}`, user);
      await eventually('both work', () => busy.now === 2);
      goOn();
      const written = (): string[] => scribes.flatMap((one) => one.written);
      await eventually('all is written', () => written().length === 6);
      expect(new Set(written()).size).to.equal(6);
      expect(busy.most).to.equal(2);

      const owner = (await care.status()).rows[0]?.process;
      const first = owner === 'p0' ? 0 : 1;
      await workings[first]?.stop();
      await recordName(log, 'usr_z', 'z');
      await eventually('the other took over', () => scribes[1 - first]?.written.includes('usr_z z') === true);
      expect((await care.status()).rows[0]?.process).to.equal(`p${1 - first}`);
    } finally {
      await Promise.all(workings.map((working) => working.stop()));
      await Promise.all(open.map((models) => models.close()));
      await drop();
    }
  });
});
