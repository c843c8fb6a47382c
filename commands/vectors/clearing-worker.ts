import { isoInstant } from '../../domain/kernel/iso-instant.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { CommandLog } from '../command-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import type { VectorPlace, VectorPlaces } from '../ports/vector-places.ts';
import { workerOf, type AnyWorker } from '../workers/worker.ts';
import type { KeptVectors } from './kept-vectors.ts';
import { runVectorFileCommand } from './run-vector-command.ts';

export interface ClearingDeps extends CommandLog {
  readonly kept: KeptVectors;
  readonly index: VectorIndex;
  readonly places: VectorPlaces;
  readonly clock: Clock;
}

/** Taken out of a store at one go. */
const AT_ONCE = 100;

/**
 * Removes what belongs to files and stores that are gone. Whoever deletes does so too, at once; this is for what dies in between, and for
 * what nobody waits for.
 */
export const clearingWorker = ({ kept, index, places, clock, ...deps }: ClearingDeps): AnyWorker =>
  workerOf({
    name: 'vector-clearing',
    types: ['VectorFileRemoved', 'VectorStoreDeleted', 'FileDeleted'],
    handle: async (event, context) => {
      const clear = async (found: readonly VectorPlace[]): Promise<Refusal | null> => {
        await kept.remove(found.map(({ vectorFileId }) => vectorFileId));
        for (const { vectorFileId, storeId, fileId, userId } of found) {
          const now = clock.now();
          const command = { kind: 'step', vectorFileId, step: { kind: 'remove' }, at: isoInstant(now) } as const;
          const done = await runVectorFileCommand(deps, { storeId, fileId }, command, context.command(userId, `${vectorFileId}:${now}`));
          if (isRefusal(done)) return done;
        }
        return null;
      };
      switch (event.type) {
        case 'VectorFileRemoved': {
          const { vectorFileId } = event.data;
          await index.remove({ vectorFileIds: [vectorFileId] });
          await kept.remove([vectorFileId]);
          return null;
        }
        case 'FileDeleted': {
          const { fileId } = event.data;
          const found = await places.ofFile(fileId);
          if (found.length > 0) await index.remove({ fileId });
          return clear(found);
        }
        case 'VectorStoreDeleted': {
          const { storeId } = event.data;
          await index.remove({ storeId });
          const seen = new Set<string>();
          // A read model that is behind shows again what was removed.
          for (;;) {
            const found = (await places.ofStore(storeId, seen.size + AT_ONCE)).filter(({ vectorFileId }) => !seen.has(vectorFileId));
            if (found.length === 0) return null;
            for (const { vectorFileId } of found) seen.add(vectorFileId);
            const refusal = await clear(found);
            if (refusal !== null) return refusal;
          }
        }
      }
    },
  });
