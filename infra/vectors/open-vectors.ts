import type { CommandLog } from '../../commands/command-log.ts';
import type { Blobs } from '../../commands/ports/blobs.ts';
import type { Clock } from '../../commands/ports/clock.ts';
import type { Embedder } from '../../commands/ports/embedder.ts';
import type { IdSource } from '../../commands/ports/id-source.ts';
import { clearingWorker } from '../../commands/vectors/clearing-worker.ts';
import { indexingWorker } from '../../commands/vectors/indexing-worker.ts';
import { KeptVectors } from '../../commands/vectors/kept-vectors.ts';
import type { AnyWorker } from '../../commands/workers/worker.ts';
import { VectorDesk } from '../../gateways/relay/vector-stores/vector-desk.ts';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import { countsOfBatch, countsOfStores, listVectorFiles, storesOfFile } from '../../projections/vector-files/queries.ts';
import { listVectorStores } from '../../projections/vector-stores/queries.ts';
import { refillIndex } from './refill-index.ts';
import { PgVectorIndex, type VectorIndexOptions } from './vector-index.ts';

export interface OpenVectorsOptions extends CommandLog {
  readonly database: ReadModelDatabase;
  readonly blobs: Blobs;
  readonly embedder: Embedder;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly usualModel: string | null;
  readonly search?: VectorIndexOptions;
}

export interface OpenedVectors {
  readonly desk: VectorDesk;
  readonly workers: readonly AnyWorker[];
  /** Fills what is lost of the index; answers with how many files were. */
  refill(stopping: AbortSignal): Promise<number>;
}

/** Vector stores, by what the read models know of them, and the index that they are searched in. */
export const openVectors = ({ database, blobs, embedder, usualModel, search, ...deps }: OpenVectorsOptions): OpenedVectors => {
  const kept = new KeptVectors(blobs);
  const index = new PgVectorIndex(database, search);
  return {
    desk: new VectorDesk({
      ...deps,
      ...{ index, blobs, kept, usualModel },
      lists: {
        stores: (tokenId, page) => listVectorStores(database, tokenId, page),
        files: (storeId, page) => listVectorFiles(database, storeId, page),
        counts: (storeIds) => countsOfStores(database, storeIds),
        batchCounts: (batchId) => countsOfBatch(database, batchId),
      },
    }),
    workers: [
      indexingWorker({ ...deps, blobs, kept, embedder, index }),
      clearingWorker({
        ...deps,
        ...{ kept, index },
        places: {
          ofStore: (storeId, limit) =>
            listVectorFiles(database, storeId, { status: null, batchId: null, order: 'asc', limit, after: null, before: null }),
          ofFile: (fileId) => storesOfFile(database, fileId),
        },
      }),
    ],
    refill: (stopping) => refillIndex({ database, index, kept }, stopping),
  };
};
