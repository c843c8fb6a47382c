import pg from 'pg';
import { LIVE_SCHEMA } from '../../projections/engine/engine-schema.ts';
import { outliveLostConnections } from '../postgres/outlive-lost-connections.ts';
import { pgValues } from './pg-values.ts';

/** Longest time that a statement may take in the database, in milliseconds; work that says it is patient has none. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** A transaction in which nothing has been asked for so long is given up by the server: whoever began it is frozen or gone. */
const IDLE_TRANSACTION_MS = 60_000;

/** A server that has stopped answering is given up after this: longer than its own limit on a statement. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 10_000;

/**
 * What holds for every connection. Commits do not wait for the disk: rows and checkpoint are lost together in a crash of
 * the database, and are then made from the log again.
 */
const SESSION = [
  `SET search_path TO ${LIVE_SCHEMA}, public`,
  `SET TimeZone TO 'UTC'`,
  `SET DateStyle TO ISO`,
  `SET statement_timeout TO ${STATEMENT_TIMEOUT_MS}`,
  `SET idle_in_transaction_session_timeout TO ${IDLE_TRANSACTION_MS}`,
  'SET synchronous_commit TO off',
].join('; ');

export type PoolTarget = Pick<pg.PoolConfig, 'connectionString' | 'host' | 'port' | 'user' | 'database'>;

export interface PoolOptions {
  /** Shown in `pg_stat_activity`. */
  readonly name: string;
  /** Most connections; they are made as they are needed. */
  readonly max: number;
  /** After so long at rest a connection is closed; never, unless given. */
  readonly idleMs?: number;
}

/** Connections for read models, all set up alike. */
export const readModelPool = (target: PoolTarget, { name, max, idleMs = 0 }: PoolOptions): pg.Pool => {
  const pool = new pg.Pool({
    ...target,
    max,
    application_name: name,
    types: pgValues,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: idleMs,
    // The pool waits for it before it hands the client out; its types do not say so.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    onConnect: async (client) => {
      await client.query(SESSION);
    },
  });
  outliveLostConnections(pool);
  return pool;
};
