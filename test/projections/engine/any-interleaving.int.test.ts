import { expect } from 'chai';
import fc from 'fast-check';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import { applyWhole, Batch } from '../../../projections/engine/batch.ts';
import { ensureLiveTables } from '../../../projections/engine/checkpoint.ts';
import { digestOf } from '../../../projections/engine/digest.ts';
import { dropReadModels, ENGINE_HISTORY, LIVE_SCHEMA } from '../../../projections/engine/engine-schema.ts';
import { migrate } from '../../../projections/engine/migrations.ts';
import { KnownPartitions } from '../../../projections/engine/partitions.ts';
import { partitionOf } from '../../../projections/engine/stream-partition.ts';
import { projectionsBySource } from '../../../projections/registry.ts';
import type { RecordedEvent } from '../../../schemas/event-envelope.ts';
import { appendsOf, histories } from '../../support/histories.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { emptyReadModels } from '../../support/read-models.ts';

const { kafka: followers } = projectionsBySource(true);

describe('what follows Kafka', function () {
  this.timeout(120_000);
  let models: ReadModels;
  before(async () => {
    models = await emptyReadModels();
  });
  after(() => models.close());

  const rowsAfter = (batches: readonly (readonly RecordedEvent[])[]): Promise<readonly string[]> =>
    models.database.transaction(async (tx) => {
      await dropReadModels(tx);
      await migrate(tx, ENGINE_HISTORY);
      await ensureLiveTables(tx, followers);
      const targets = followers.map((projection) => ({ projection, partitions: new KnownPartitions(projection, 'live') }));
      for (const events of batches) for (const target of targets) await applyWhole(tx, target, await Batch.of(events), new Set());
      const digests: string[] = [];
      for (const projection of followers) digests.push((await digestOf(tx, LIVE_SCHEMA, projection)).digest);
      return digests;
    });

  it('comes to the same rows whichever partition goes first, in whatever parts', async () => {
    await fc.assert(
      fc.asyncProperty(
        histories({ minSteps: 40, maxSteps: 120 }),
        fc.integer({ min: 2, max: 5 }),
        fc.array(fc.record({ partition: fc.nat(4), events: fc.integer({ min: 1, max: 30 }) }), { minLength: 10, maxLength: 40 }),
        async (history, partitions, turns) => {
          const log = memoryLog();
          await log.append(appendsOf(history));
          const queues = Array.from({ length: partitions }, (_, partition) =>
            log.events.filter(({ stream }) => partitionOf(stream, partitions) === partition),
          );
          const batches = turns.map(({ partition, events }) => queues[partition % partitions]?.splice(0, events) ?? []);
          expect(await rowsAfter([...batches, ...queues])).to.deep.equal(await rowsAfter([log.events]));
        },
      ),
      { numRuns: 8, endOnFailure: true },
    );
  });
});
