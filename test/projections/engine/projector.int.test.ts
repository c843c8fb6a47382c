import { expect } from 'chai';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import { soleDatabase } from '../../../infra/read-models/sql-database.ts';
import { CheckpointMoved, readCheckpoints } from '../../../projections/engine/checkpoint.ts';
import { digestOf } from '../../../projections/engine/digest.ts';
import { dropReadModels, ENGINE_SCHEMA, LIVE_SCHEMA } from '../../../projections/engine/engine-schema.ts';
import { PositionBoard } from '../../../projections/engine/position-board.ts';
import { ReadModelsUnavailable } from '../../../projections/engine/read-models-unavailable.ts';
import { compareProjection, rebuildProjection, type RebuildProgress } from '../../../projections/engine/rebuild.ts';
import { projectionStatus } from '../../../projections/engine/status.ts';
import type { EventFeed } from '../../../projections/ports/event-feed.ts';
import type { ReadModelDatabase, RunTransaction } from '../../../projections/ports/read-model-database.ts';
import { documentProjection } from '../../../projections/engine/projection.ts';
import { projections } from '../../../projections/registry.ts';
import { users } from '../../../projections/users/projection.ts';
import type { Position, RecordedEvent } from '../../../schemas/event-envelope.ts';
import { appendsOf, longHistory } from '../../support/histories.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { projectAll, startProjecting, wallClock } from '../../support/projecting.ts';
import { DATABASES } from '../../support/read-models.ts';

const digests = (database: ReadModelDatabase): Promise<Record<string, string>> =>
  database.transaction(async (tx) => {
    const all: Record<string, string> = {};
    for (const projection of projections) all[projection.name] = (await digestOf(tx, LIVE_SCHEMA, projection)).digest;
    return all;
  });

/** A database whose transactions are cut off after so many more queries, each time anew, until it is told to hold. */
const faltering = (database: ReadModelDatabase): { readonly database: ReadModelDatabase; cutAfter: number | null } => {
  const handle = { cutAfter: null as number | null, database };
  const cutting =
    (run: RunTransaction): RunTransaction =>
    (work, options) =>
      run(async (tx) => {
        let left = handle.cutAfter ?? Infinity;
        return work({
          query: (text, values) => {
            if (left-- <= 0) return Promise.reject(new ReadModelsUnavailable(new Error('cut off')));
            return tx.query(text, values);
          },
        });
      }, options);
  handle.database = {
    query: database.query,
    transaction: cutting(database.transaction),
    lead: async (signal) => {
      const leadership = await database.lead(signal);
      return leadership === null ? null : { ...leadership, transaction: cutting(leadership.transaction) };
    },
  };
  return handle;
};

const history = longHistory(120, 11);
const appends = appendsOf(history);

for (const { name, open } of DATABASES) {
  describe(`projector, on ${name}`, function () {
    this.timeout(120_000);
    let models: ReadModels;
    let expected: Record<string, string>;

    before(async () => {
      models = await open();
      const log = memoryLog();
      await log.append(appends);
      await projectAll({ feed: log, database: models.database });
      expected = await digests(models.database);
    });
    after(() => models.close());
    beforeEach(() => models.database.transaction(dropReadModels));

    it('goes on where it stopped, wherever in a batch it was cut off', async () => {
      const { database } = models;
      const log = memoryLog();
      const fault = faltering(database);
      const projecting = startProjecting({ feed: log, database: fault.database, policy: { batchSize: 40 } });
      try {
        await projecting.reported('state', ({ state }) => state === 'live');
        for (const [index, append] of appends.entries()) {
          if (index % 7 === 0) {
            const interruptions = projecting.reports.filter(({ kind }) => kind === 'interrupted').length;
            fault.cutAfter = (index / 7) % 19;
            await log.append([append]);
            await projecting.reported(
              'interrupted',
              (report) =>
                projecting.reports.filter(({ kind }) => kind === 'interrupted').indexOf(report) >= interruptions ||
                projecting.board.positionOf('journal') >= (log.events.at(-1)?.position ?? 0n),
            );
            fault.cutAfter = null;
          } else {
            await log.append([append]);
          }
        }
        await projecting.caughtUp();
      } finally {
        await projecting.stop();
      }
      expect(await digests(database)).to.deep.equal(expected);
      expect(projecting.reports.some((report) => report.kind === 'interrupted' && !report.fenced)).to.equal(true);
      expect(projecting.reports.filter(({ kind }) => kind === 'parked' || kind === 'reset')).to.deep.equal([]);
    });

    it('bundles events that keep coming, and lets nobody who waits for one wait for the bundle', async () => {
      const { database } = models;
      const log = memoryLog();
      // Longer than the test would be let run.
      const projecting = startProjecting({ feed: log, database, policy: { lingerMs: 300_000, longestLingerMs: 300_000 } });
      try {
        await projecting.reported('state', ({ state }) => state === 'live');
        await log.append(appends.slice(0, 1));
        await projecting.caughtUp();
        await log.append(appends.slice(1, 20));
        await projecting.caughtUp();
      } finally {
        await projecting.stop();
      }
    });

    it('is fenced off by another that has moved on, and nothing counts twice', async () => {
      // Both believe that nobody else projects, as a process does that has been asleep.
      const database = soleDatabase(models.pool);
      const log = memoryLog();
      const one = startProjecting({ feed: log, database });
      await one.caughtUp();
      const other = startProjecting({ feed: log, database });
      try {
        await other.reported('state', ({ state }) => state === 'live');
        for (const append of appends) await log.append([append]);
        await Promise.all([one.caughtUp(), other.caughtUp()]);
        await Promise.race([one.reported('interrupted'), other.reported('interrupted')]);
      } finally {
        await Promise.all([one.stop(), other.stop()]);
      }
      const interruptions = [...one.reports, ...other.reports].filter((report) => report.kind === 'interrupted');
      expect(interruptions.every(({ fenced }) => fenced)).to.equal(true);
      expect(await digests(models.database)).to.deep.equal(expected);
    });

    it('lets a projection that is behind catch up by itself and join the others', async () => {
      const log = memoryLog();
      await log.append(appends.slice(0, 60));
      await projectAll({ feed: log, database: models.database, projections: projections.filter((_projection, index) => index % 2 === 0) });
      await log.append(appends.slice(60, 80));
      await projectAll({ feed: log, database: models.database, projections: projections.filter((_projection, index) => index < 6) });
      const projecting = startProjecting({ feed: log, database: models.database, policy: { batchSize: 10 } });
      try {
        for (const append of appends.slice(80)) await log.append([append]);
        await projecting.caughtUp();
        expect(projecting.reports.filter(({ kind }) => kind === 'interrupted')).to.deep.equal([]);
      } finally {
        await projecting.stop();
      }
      expect(await digests(models.database)).to.deep.equal(expected);
      const positions = new Set((await readCheckpoints(models.database)).map(({ position }) => position));
      expect(positions.size).to.equal(1);
    });

    it('begins anew when the rows cannot have come from the log, and says why', async () => {
      const { database } = models;
      const log = memoryLog();
      await log.append(appends.slice(0, 50));
      const other = memoryLog();
      await other.append(appendsOf(longHistory(30, 5)));

      const cases: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
        ['another log', /there is another event|the log ends at|never saw/, () => projectAll({ feed: other, database })],
        [
          'ahead of the log',
          /the log ends at/,
          () => database.query(`UPDATE ${ENGINE_SCHEMA}.checkpoint SET position = position + 1000000 WHERE projection = 'users'`),
        ],
        [
          'advanced past events',
          /never saw/,
          () =>
            database.query(`UPDATE ${ENGINE_SCHEMA}.checkpoint SET event_position = $1, event_id = $2 WHERE projection = 'journal'`, [
              log.events[9]?.position,
              log.events[9]?.eventId,
            ]),
        ],
        [
          'set back',
          /beyond the checkpoint/,
          () =>
            database.query(
              `UPDATE ${ENGINE_SCHEMA}.checkpoint SET position = 3, event_position = NULL, event_id = NULL WHERE projection = 'account-balances'`,
            ),
        ],
      ];
      for (const [what, reason, break_] of cases) {
        await database.transaction(dropReadModels);
        await projectAll({ feed: log, database });
        if (what === 'another log') await database.transaction(dropReadModels);
        await break_();
        const projecting = startProjecting({ feed: log, database });
        try {
          expect((await projecting.reported('reset')).reason, what).to.match(reason);
          await projecting.reported('state', ({ state }) => state === 'live');
          await log.append(appends.slice(50));
          await projecting.caughtUp();
        } finally {
          await projecting.stop();
        }
        expect(await digests(database), what).to.deep.equal(expected);
      }
    });

    it('tells those who wait when a position is shown, in its own process and in others', async () => {
      const { database } = models;
      const log = memoryLog();
      const elsewhere = new PositionBoard({ database, projections, pollMs: 5 });
      expect(await elsewhere.waitFor('users', 1n as Position, 30)).to.equal(false);
      const projecting = startProjecting({ feed: log, database });
      try {
        await log.append(appends.slice(0, 10));
        const head = await log.head();
        expect(
          await Promise.all([
            projecting.board.waitFor('all', head, 10_000),
            elsewhere.waitFor('all', head, 10_000),
            elsewhere.waitFor('journal', head, 10_000),
          ]),
        ).to.deep.equal([true, true, true]);
        expect(await projecting.board.waitFor('journal', (head + 1n) as Position, 20)).to.equal(false);
      } finally {
        await projecting.stop();
      }
    });

    it('fills a new version beside the old one, which goes at the next start', async () => {
      const { database } = models;
      const log = memoryLog();
      const usersAt = (version: number) => documentProjection({ ...users, version });
      const tables = async (): Promise<readonly string[]> => {
        const { rows } = await database.query<{ name: string }>(
          `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 ORDER BY 1`,
          [LIVE_SCHEMA],
        );
        return rows.map((row) => row.name);
      };
      await log.append(appends.slice(0, 40));
      await projectAll({ feed: log, database, projections: [usersAt(1), usersAt(10)] });
      await projectAll({ feed: log, database, projections: [usersAt(1)] });
      expect(await tables()).to.deep.equal(['rm_users_v1', 'rm_users_v10']);
      await projectAll({ feed: log, database, projections: [usersAt(2)] });
      expect(await tables()).to.deep.equal(['rm_users_v1', 'rm_users_v10', 'rm_users_v2']);
      await projectAll({ feed: log, database, projections: [usersAt(2)] });
      expect(await tables()).to.deep.equal(['rm_users_v10', 'rm_users_v2']);
      expect((await readCheckpoints(database)).map(({ version }) => version)).to.deep.equal([2, 10]);
    });

    it('says how every read model stands', async () => {
      const { database } = models;
      const log = memoryLog({ now: () => wallClock.now() - 60_000 });
      await log.append(appends.slice(0, 30));
      await projectAll({ feed: log, database });
      const statusOf = () => projectionStatus({ sql: database, feed: log, projections, clock: wallClock });
      const head = await log.head();
      for (const status of await statusOf()) expect(status).to.deep.include({ position: head, head, lagMs: 0, parked: 0, rebuild: null });
      await log.append(appends.slice(30));
      const journal = (await statusOf()).find((status) => status.name === 'journal');
      expect(journal?.head).to.equal(await log.head());
      expect(journal?.lagMs).to.be.within(59_000, 120_000);
    });

    it('looks at a log that grows as fast as it is read once for all, as far as it was', async () => {
      const { database } = models;
      const log = memoryLog({ now: () => wallClock.now() - 60_000 });
      await log.append(appends.slice(0, 30));
      await projectAll({ feed: log, database });
      await log.append(appends.slice(30, 40));
      const before = await log.head();
      let passes = 0;
      let read = 0;
      const growing: EventFeed = {
        ...log,
        head: () => log.head(),
        subscribe: (options) => log.subscribe(options),
        async *readAll(options) {
          passes += 1;
          for await (const event of log.readAll({ ...options, filter: {} })) {
            expect(event.position <= before).to.equal(true);
            if (read < 20) await log.append(appends.slice(40 + read, 41 + read));
            read += 1;
            yield event;
          }
        },
      };
      const statuses = await projectionStatus({ sql: database, feed: growing, projections, clock: wallClock });
      expect(passes).to.equal(1);
      expect(read).to.be.greaterThan(0);
      expect(statuses.some(({ lagMs }) => lagMs > 0)).to.equal(true);
    });

    it('knows of those that wait for rare events what it knows of the others, when the log is long', async () => {
      const { database } = models;
      const log = memoryLog();
      const [first] = appends;
      if (first === undefined) throw new Error('a history begins');
      await projectAll({ feed: log, database });
      await log.append([first]);
      let event: RecordedEvent | undefined;
      for await (const appended of log.readAll({ limit: 1 })) event = appended;
      if (event === undefined) throw new Error('it was appended');
      const recorded = event;
      const clock = { now: () => 1_000_000 };
      const wanting = projections.filter(({ types }) => (types as readonly string[]).includes(recorded.type)).map(({ name }) => name);
      const long: EventFeed = {
        head: async () => 1_000_000n as Position,
        subscribe: (options) => log.subscribe(options),
        async *readAll({ limit = 0 } = {}) {
          for (let at = 1; at <= limit; at++)
            yield { ...recorded, position: BigInt(at) as Position, recordedAt: new Date(900_000 + at).toISOString() };
        },
      };
      for (const { name, lagMs } of await projectionStatus({ sql: database, feed: long, projections, clock }))
        if (wanting.includes(name)) expect(lagMs, name).to.equal(99_999);
        else expect(lagMs, name).to.be.within(1, 99_000);
    });

    describe('rebuilding', () => {
      it('tells how far it is, and can be called off without a trace', async () => {
        const { database } = models;
        const log = memoryLog();
        await log.append(appends);
        const projecting = startProjecting({ feed: log, database });
        try {
          await projecting.caughtUp();
          const options = {
            feed: log,
            database,
            projection: projections.find((projection) => projection.name === 'journal') as (typeof projections)[number],
            board: projecting.board,
            clock: wallClock,
            owner: 'one',
            batchSize: 10,
          };
          const called = new AbortController();
          const seen: RebuildProgress[] = [];
          const calledOff: unknown = await rebuildProjection({
            ...options,
            signal: called.signal,
            clock: { now: () => wallClock.now() + seen.length * 1_000 },
            progress: (progress) => {
              seen.push(progress);
              if (seen.length === 3) called.abort(new Error('called off'));
            },
          }).then(
            () => null,
            (error: unknown) => error,
          );
          expect(calledOff).to.have.property('message', 'called off');
          expect(seen.map(({ done }) => done)).to.deep.equal([10, 20, 30]);
          expect(seen.map(({ share }) => share)).to.satisfy((shares: number[]) =>
            shares.every((share, index) => share > (shares[index - 1] ?? 0) && share < 1),
          );
          expect((await readCheckpoints(database)).filter(({ build }) => build === 'shadow')).to.deep.equal([]);
          expect(await digests(database)).to.deep.equal(expected);
        } finally {
          await projecting.stop();
        }
      });

      it('gives way to a builder that began later', async () => {
        const { database } = models;
        const log = memoryLog();
        await log.append(appends);
        const projecting = startProjecting({ feed: log, database });
        try {
          await projecting.caughtUp();
          const options = {
            feed: log,
            database,
            projection: projections.find((projection) => projection.name === 'journal') as (typeof projections)[number],
            board: projecting.board,
            clock: wallClock,
            batchSize: 10,
          };
          let second: Promise<unknown> | undefined;
          const first: unknown = await compareProjection({
            ...options,
            owner: 'first',
            progress: () => {
              second ??= compareProjection({ ...options, owner: 'second' });
            },
          }).then(
            () => null,
            (error: unknown) => error,
          );
          expect(first).to.be.instanceOf(CheckpointMoved);
          expect(await second).to.include({ equal: true });
        } finally {
          await projecting.stop();
        }
      });

      it('finds a row that was changed by hand, and puts it right', async () => {
        const { database } = models;
        const log = memoryLog();
        await log.append(appends);
        const projecting = startProjecting({ feed: log, database });
        try {
          await projecting.caughtUp();
          const options = {
            feed: log,
            database,
            projection: projections.find((projection) => projection.name === 'account-balances') as (typeof projections)[number],
            board: projecting.board,
            clock: wallClock,
            owner: 'one',
          };
          expect(await compareProjection(options)).to.include({ equal: true });
          const { rowCount } = await database.query(
            `UPDATE rm_account_balances_v3 SET wallet = wallet + 1 WHERE user_id = (SELECT min(user_id) FROM rm_account_balances_v3)`,
          );
          expect(rowCount).to.equal(1);
          expect(await compareProjection(options)).to.include({ equal: false });
          expect(await rebuildProjection(options)).to.include({ equal: false });
          expect(await compareProjection(options)).to.include({ equal: true });
          expect(await digests(database)).to.deep.equal(expected);
        } finally {
          await projecting.stop();
        }
      });
    });
  });
}
