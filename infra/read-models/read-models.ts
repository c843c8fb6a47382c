import pg from 'pg';
import { ENGINE_HISTORY } from '../../projections/engine/engine-schema.ts';
import { DatabaseIsNewer, schemaVersion } from '../../projections/engine/migrations.ts';
import type { ReadModelDatabase, Sql } from '../../projections/ports/read-model-database.ts';
import { startPglite, type PgliteOptions } from './pglite/pglite-host.ts';
import { readModelPool } from './pool.ts';
import { postgresDatabase, soleDatabase } from './sql-database.ts';

export type ReadModelsConfig =
  | ({ readonly kind: 'pglite' } & PgliteOptions)
  /** `max`: connections for reading; those that project are beside them. */
  | { readonly kind: 'postgres'; readonly connectionString: string; readonly max?: number };

/** Where this process finds its read models. */
export interface ReadModels {
  readonly database: ReadModelDatabase;
  /** For what the port does not offer. Embedded it has one connection: whoever holds a client holds up everybody. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

const USUAL_CONNECTIONS = 4;
/** Two hold rights to project, three write what comes from Kafka, one rebuilds, unparks, or keeps partitions. */
const PROJECTING_CONNECTIONS = 6;
const IDLE_MS = 60_000;
/** `data_corrupted`, `index_corrupted`, `undefined_file`: what was found in pages, or not found at all, while in use. */
const DAMAGE: ReadonlySet<string> = new Set(['XX001', 'XX002', '58P01']);

const VACUUM_EVERY_MS = 3_600_000;

/** Nothing runs beside the one connection of the embedded database, so dead rows are cleared away between queries. */
const vacuumNowAndThen = (pool: pg.Pool): (() => void) => {
  const timer = setInterval(() => void pool.query('VACUUM (ANALYZE)').catch(() => undefined), VACUUM_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
};

/** A database that cannot be asked now is no reason not to start: whoever reads is told by then. */
const refuseNewer = async (sql: Sql): Promise<void> => {
  await schemaVersion(sql, ENGINE_HISTORY).catch((error: unknown) => {
    if (error instanceof DatabaseIsNewer) throw error;
  });
};

const openOnPostgres = async ({ connectionString, max = USUAL_CONNECTIONS }: Extract<ReadModelsConfig, { kind: 'postgres' }>) => {
  const reading = readModelPool({ connectionString }, { name: 'oblivious read models', max, idleMs: IDLE_MS });
  const projecting = readModelPool({ connectionString }, { name: 'oblivious projector', max: PROJECTING_CONNECTIONS, idleMs: IDLE_MS });
  return {
    database: postgresDatabase(reading, projecting),
    pool: reading,
    close: async () => {
      await Promise.all([reading.end(), projecting.end()]);
    },
  };
};

const openEmbedded = async (options: PgliteOptions): Promise<ReadModels> => {
  const host = await startPglite(options);
  // One connection: the server runs one message at a time for all of them in one session, so that two that are in the
  // middle of a statement would take each other's parts.
  const pool = readModelPool(host.target, { name: 'oblivious read models', max: 1 });
  const database = soleDatabase(pool, ({ cause }) => {
    if (cause instanceof pg.DatabaseError && DAMAGE.has(cause.code ?? '')) void host.condemn(cause.message);
  });
  const stopVacuum = vacuumNowAndThen(pool);
  return {
    database,
    pool,
    close: async () => {
      stopVacuum();
      await pool.end();
      await host.close();
    },
  };
};

/**
 * Opens the read models; embedded ones that cannot be trusted are removed first, and said so in a report. Throws `DatabaseIsNewer` when a later
 * version of this program keeps them.
 */
export const openReadModels = async (config: ReadModelsConfig): Promise<ReadModels> => {
  const models = config.kind === 'postgres' ? await openOnPostgres(config) : await openEmbedded(config);
  try {
    await refuseNewer(models.database);
    return models;
  } catch (error) {
    await models.close();
    throw error;
  }
};
