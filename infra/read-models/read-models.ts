import pg from 'pg';
import type { ReadModelDatabase } from '../../projections/ports/read-model-database.ts';
import { startPglite, type PgliteOptions } from './pglite/pglite-host.ts';
import { readModelPool } from './pool.ts';
import { postgresDatabase, soleDatabase } from './sql-database.ts';

export type ReadModelsConfig =
  | ({ readonly kind: 'pglite' } & PgliteOptions)
  /** `max`: connections; one is kept by the projector of the process that projects. */
  | { readonly kind: 'postgres'; readonly connectionString: string; readonly max?: number };

/** Where this process finds its read models. */
export interface ReadModels {
  readonly database: ReadModelDatabase;
  /** For what the port does not offer. Embedded it has one connection: whoever holds a client holds up everybody. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

const USUAL_CONNECTIONS = 6;
/** `data_corrupted`, `index_corrupted`, `undefined_file`: what was found in pages, or not found at all, while in use. */
const DAMAGE: ReadonlySet<string> = new Set(['XX001', 'XX002', '58P01']);

const VACUUM_EVERY_MS = 3_600_000;

/** Nothing runs beside the one connection of the embedded database, so dead rows are cleared away between queries. */
const vacuumNowAndThen = (pool: pg.Pool): (() => void) => {
  const timer = setInterval(() => void pool.query('VACUUM (ANALYZE)').catch(() => undefined), VACUUM_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
};

/** Opens the read models; embedded ones that cannot be trusted are removed first, and said so in a report. */
export const openReadModels = async (config: ReadModelsConfig): Promise<ReadModels> => {
  if (config.kind === 'postgres') {
    const pool = readModelPool({ connectionString: config.connectionString }, config.max ?? USUAL_CONNECTIONS);
    return { database: postgresDatabase(pool), pool, close: () => pool.end() };
  }
  const host = await startPglite(config);
  // One connection: the server runs one message at a time for all of them in one session, so that two that are in the
  // middle of a statement would take each other's parts.
  const pool = readModelPool(host.target, 1);
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
