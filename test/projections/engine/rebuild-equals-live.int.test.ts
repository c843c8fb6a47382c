import { expect } from 'chai';
import fc from 'fast-check';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import { digestOf } from '../../../projections/engine/digest.ts';
import { dropReadModels, LIVE_SCHEMA } from '../../../projections/engine/engine-schema.ts';
import { rebuildProjection } from '../../../projections/engine/rebuild.ts';
import type { ReadModelDatabase } from '../../../projections/ports/read-model-database.ts';
import { projections } from '../../../projections/registry.ts';
import { appendsOf, histories, longHistory } from '../../support/histories.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { startProjecting, projectAll, wallClock } from '../../support/projecting.ts';
import { DATABASES } from '../../support/read-models.ts';

const digests = (database: ReadModelDatabase): Promise<Record<string, string>> =>
  database.transaction(async (tx) => {
    const all: Record<string, string> = {};
    for (const projection of projections) all[projection.name] = (await digestOf(tx, LIVE_SCHEMA, projection)).digest;
    return all;
  });

for (const { name, open } of DATABASES) {
  describe(`every projection in the registry, on ${name}`, function () {
    this.timeout(120_000);
    let models: ReadModels;
    before(async () => {
      models = await open();
    });
    after(() => models.close());
    beforeEach(() => models.database.transaction(dropReadModels));

    const rowsAreTheSame = () =>
      fc.asyncProperty(histories({ minSteps: 20, maxSteps: 80 }), fc.integer({ min: 1, max: 7 }), async (history, batchSize) => {
        const { database } = models;
        const log = memoryLog();
        await log.append(appendsOf(history));
        await database.transaction(dropReadModels);
        await projectAll({ feed: log, database });
        const atOnce = await digests(database);

        await database.transaction(dropReadModels);
        const live = memoryLog({ batchSize });
        const projecting = startProjecting({ feed: live, database, policy: { batchSize } });
        try {
          await projecting.reported('state', ({ state }) => state === 'live');
          for (const append of appendsOf(history)) {
            await live.append([append]);
            live.redeliver();
          }
          await projecting.caughtUp();
        } finally {
          await projecting.stop();
        }
        expect(await digests(database)).to.deep.equal(atOnce);
      });

    it('holds the same rows whether events come at once, one by one, or twice', async () => {
      // Shrinking would take minutes; the seed is printed.
      await fc.assert(rowsAreTheSame(), { numRuns: name === 'PGlite' ? 2 : 4, endOnFailure: true });
    });

    it('holds the same rows where a charge of nothing follows one of something in one batch', async () => {
      await fc.assert(rowsAreTheSame(), { numRuns: 1, endOnFailure: true, seed: 895503085 });
    });

    it('is rebuilt to the very same rows while events go on coming', async () => {
      const { database } = models;
      const log = memoryLog();
      const history = longHistory(250, 7);
      const appends = appendsOf(history);
      await log.append(appends.slice(0, appends.length / 2));
      const projecting = startProjecting({ feed: log, database });
      try {
        await projecting.caughtUp();
        const rest = appends.slice(appends.length / 2);
        for (const projection of projections) {
          const share = rest.splice(0, 20);
          const rebuilding = rebuildProjection({
            feed: log,
            database,
            projection,
            board: projecting.board,
            clock: wallClock,
            owner: 'test',
            batchSize: 30,
          });
          for (const append of share) await log.append([append]);
          const { equal, live, rebuilt } = await rebuilding;
          expect(rebuilt, projection.name).to.deep.equal(live);
          expect(equal, projection.name).to.equal(true);
        }
        await log.append(rest);
        await projecting.caughtUp();
        expect(projecting.reports.filter(({ kind }) => kind === 'interrupted' || kind === 'parked')).to.deep.equal([]);
      } finally {
        await projecting.stop();
      }
      const afterRebuilds = await digests(database);
      await database.transaction(dropReadModels);
      await projectAll({ feed: log, database });
      expect(await digests(database)).to.deep.equal(afterRebuilds);
    });
  });
}
