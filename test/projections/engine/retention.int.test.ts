import { expect } from 'chai';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import { readCheckpoints } from '../../../projections/engine/checkpoint.ts';
import { dropReadModels } from '../../../projections/engine/engine-schema.ts';
import { partitionsOf } from '../../../projections/engine/partitions.ts';
import { compareProjection, rebuildProjection, type RebuildOptions } from '../../../projections/engine/rebuild.ts';
import { keepPartitions } from '../../../projections/engine/retention.ts';
import type { ReadModelDatabase, Sql } from '../../../projections/ports/read-model-database.ts';
import { trialBalance } from '../../../projections/journal/queries.ts';
import { callTable, JOURNAL } from '../../../projections/journal/tables.ts';
import { projections } from '../../../projections/registry.ts';
import { USAGE_HOURLY, hourTable } from '../../../projections/usage-hourly/tables.ts';
import { usageOverDays } from '../../../projections/usage-daily/queries.ts';
import { appendsOf, longHistory } from '../../support/histories.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { startProjecting, wallClock, type Projecting } from '../../support/projecting.ts';
import { DATABASES } from '../../support/read-models.ts';

const HISTORY = longHistory(260, 5);
const APPENDS = appendsOf(HISTORY);
const BEGAN = Date.parse(HISTORY[0]?.occurredAt ?? '');
const ENDED = Date.parse(HISTORY.at(-1)?.occurredAt ?? '');
const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;

/** A log that takes as long as the history took. */
const spread = (): MemoryLog => {
  let at = -1;
  return memoryLog({ now: () => Date.parse(HISTORY[++at]?.occurredAt ?? '') + SECOND_MS });
};

for (const { name, open } of DATABASES) {
  describe(`retention, on ${name}`, function () {
    this.timeout(60_000);
    let models: ReadModels;
    let log: MemoryLog;
    let projecting: Projecting;
    before(async () => {
      models = await open();
    });
    after(() => models.close());
    beforeEach(async () => {
      await models.database.transaction(dropReadModels);
      log = spread();
      await log.append(APPENDS.slice(0, -40));
      projecting = startProjecting({ feed: log, database: models.database });
      await projecting.caughtUp();
    });
    afterEach(() => projecting.stop());

    const monthsOf = async (table: string): Promise<readonly string[]> =>
      (await partitionsOf(models.database, table)).map((partition) => partition.slice(partition.indexOf(table) + table.length + 1));
    const countOf = async (table: string): Promise<number> =>
      Number((await models.database.query<{ count: bigint }>(`SELECT count(*) AS count FROM ${table}`)).rows[0]?.count);
    const optionsFor = (projectionName: string): RebuildOptions => {
      const projection = projections.find((known) => known.name === projectionName);
      if (projection === undefined) throw new Error(`${projectionName} is a projection`);
      return { feed: log, database: models.database, projection, board: projecting.board, clock: wallClock, owner: 'test', batchSize: 50 };
    };
    const keep = (days: number | null, now = ENDED): Promise<number> =>
      keepPartitions({ database: models.database, projections, now, days });

    it('finds calls of more than one month, each month in a partition of its own', async () => {
      expect(new Date(BEGAN).getUTCMonth()).to.not.equal(new Date(ENDED).getUTCMonth());
      const months = await monthsOf(callTable);
      expect(months.length).to.be.greaterThan(1);
      expect(months).to.include('2026_03');
      for (const month of months) {
        const { rows } = await models.database.query<{ others: bigint }>(
          `SELECT count(*) AS others FROM ${callTable}_${month} WHERE to_char(recorded_at, 'YYYY_MM') <> $1`,
          [month],
        );
        expect(rows).to.deep.equal([{ others: 0n }]);
      }
    });

    it('makes the partitions of this month and the next ahead, once', async () => {
      const now = Date.UTC(2027, 11, 31);
      expect(await keep(null, now)).to.equal(0);
      await keep(null, now);
      expect(await monthsOf(hourTable)).to.include.members(['2027_12', '2028_01']);
    });

    it('drops whole months, and neither totals nor days of usage change', async () => {
      const trial = await trialBalance(models.database);
      const days = await usageOverDays(models.database, { userId: 'all' }, { from: '2000-01-01', to: '2100-01-01' }, 'model');
      const before = await countOf(callTable);
      const ofMarch = await countOf(`${callTable}_2026_03`);
      expect(ofMarch).to.be.greaterThan(0);
      expect(await keep(1, Date.UTC(2026, 3, 3))).to.be.greaterThan(0);
      expect(await monthsOf(callTable))
        .to.include('gone')
        .and.not.include('2026_03');
      expect(await countOf(callTable)).to.equal(before - ofMarch);
      expect(await trialBalance(models.database)).to.deep.equal(trial);
      expect(await usageOverDays(models.database, { userId: 'all' }, { from: '2000-01-01', to: '2100-01-01' }, 'model')).to.deep.equal(
        days,
      );
      expect(await keep(1, Date.UTC(2026, 3, 3))).to.equal(0);
    });

    it('does not make a rebuild differ: what is out of retention is in neither, also when it arrives late', async () => {
      await keep(1, Date.UTC(2026, 3, 3));
      // Goes back to where the dropped months were, as a clock that was put back would.
      await log.append(APPENDS.slice(-40));
      await projecting.caughtUp();
      for (const projectionName of [JOURNAL.name, USAGE_HOURLY.name]) {
        const { equal, live } = await compareProjection(optionsFor(projectionName));
        expect(equal, projectionName).to.equal(true);
        expect(live.rows).to.be.greaterThan(0);
        const rebuilt = await rebuildProjection(optionsFor(projectionName));
        expect(rebuilt.equal, projectionName).to.equal(true);
      }
      expect(await monthsOf(callTable))
        .to.include('gone')
        .and.not.include('2026_03');
      await keep(1, ENDED + 40 * DAY_MS);
      expect(await countOf(hourTable)).to.equal(0);
      expect((await compareProjection(optionsFor(USAGE_HOURLY.name))).equal).to.equal(true);
    });

    it('is in force for a rebuild that began before it', async () => {
      const options = optionsFor(USAGE_HOURLY.name);
      let kept: Promise<number> | undefined;
      const { equal } = await rebuildProjection({
        ...options,
        batchSize: 5,
        progress: () => {
          kept ??= keep(1, Date.UTC(2026, 3, 3));
        },
      });
      await kept;
      expect(equal).to.equal(true);
      const [checkpoint] = (await readCheckpoints(models.database)).filter(({ projection }) => projection === USAGE_HOURLY.name);
      expect(checkpoint?.floor).to.equal('2026-04-01T00:00:00.000Z');
      expect(await monthsOf(hourTable)).to.not.include('2026_03');
    });

    // Of the two, only a PostgreSQL server goes on with others while a transaction is open.
    if (name === 'PostgreSQL')
      it('waits for a comparison that has begun, which would miss its rows', async () => {
        const { database } = models;
        const march = Date.UTC(2026, 3, 3);
        let kept: Promise<number> | undefined;
        let settled = false;
        /** Starts retention behind the comparison's first look at the checkpoint, and goes on when that waits, or is done. */
        const meanwhile = async (tx: Sql): Promise<void> => {
          kept = keep(1, march).finally(() => {
            settled = true;
          });
          for (;;) {
            const { rows } = await tx.query<{ waiting: boolean }>(
              'SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS waiting',
            );
            if (settled || rows[0]?.waiting === true) return;
          }
        };
        const interrupted: ReadModelDatabase = {
          query: (text, values) => database.query(text, values),
          lead: (signal, right) => database.lead(signal, right),
          transaction: (work, options) =>
            database.transaction(async (tx) => {
              if (options?.snapshot !== true || kept !== undefined) return work(tx);
              return work({
                query: async <Row extends object>(text: string, values?: readonly unknown[]) => {
                  const result = await tx.query<Row>(text, values);
                  if (kept === undefined && text.includes('checkpoint')) await meanwhile(tx);
                  return result;
                },
              });
            }, options),
        };
        const { equal, live } = await compareProjection({ ...optionsFor(USAGE_HOURLY.name), database: interrupted });
        expect(equal).to.equal(true);
        expect(live.rows).to.be.greaterThan(0);
        expect(await kept).to.be.greaterThan(0);
        expect(await monthsOf(hourTable)).to.not.include('2026_03');
      });

    it('gives back what a longer retention covers when the read model is rebuilt', async () => {
      const before = await countOf(callTable);
      await keep(1, Date.UTC(2026, 3, 3));
      expect(await countOf(callTable)).to.be.lessThan(before);
      await keep(null);
      expect(await countOf(callTable)).to.be.lessThan(before);
      expect((await rebuildProjection(optionsFor(JOURNAL.name))).equal).to.equal(true);
      expect(await countOf(callTable)).to.equal(before);
      await log.append(APPENDS.slice(-40));
      await projecting.caughtUp();
      expect((await compareProjection(optionsFor(JOURNAL.name))).equal).to.equal(true);
    });
  });
}
