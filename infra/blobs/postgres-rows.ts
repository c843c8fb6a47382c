import pg from 'pg';
import { migrate, type SchemaHistory } from '../../projections/engine/migrations.ts';
import { outliveLostConnections } from '../postgres/outlive-lost-connections.ts';
import type { SealedRows } from './sealed-rows.ts';

const SCHEMA = 'blobs';

const HISTORY: SchemaHistory = {
  of: 'the files and vectors that are kept',
  schema: SCHEMA,
  table: 'migration',
  lock: `hashtext('oblivious ${SCHEMA}')`,
  steps: [
    // What is encrypted is packed already.
    `CREATE TABLE ${SCHEMA}.blob (
       id text COLLATE "C" NOT NULL,
       part integer NOT NULL,
       user_id text NOT NULL,
       tag text NOT NULL,
       sealed_key text NOT NULL,
       ciphertext bytea NOT NULL,
       PRIMARY KEY (id, part)
     );
     ALTER TABLE ${SCHEMA}.blob ALTER COLUMN ciphertext SET STORAGE EXTERNAL`,
  ],
};

const CONNECTIONS = 2;
const CONNECT_MS = 5_000;
const STATEMENT_MS = 20_000;

/** Sealed blobs in PostgreSQL, beside the log and the read models and part of neither. */
export const postgresRows = (connectionString: string): SealedRows => {
  const pool = new pg.Pool({
    connectionString,
    max: CONNECTIONS,
    application_name: 'oblivious blobs',
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    idleTimeoutMillis: 60_000,
  });
  outliveLostConnections(pool);
  let migrated: Promise<void> | null = null;
  const prepare = async (): Promise<void> => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await migrate(
        {
          query: async <Row extends object>(text: string, values: readonly unknown[] = []) => {
            const { rows, rowCount } = await client.query<Row & pg.QueryResultRow>(text, [...values]);
            return { rows, rowCount: rowCount ?? 0 };
          },
        },
        HISTORY,
      );
      await client.query('COMMIT');
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  };
  /** At the first use: a database that is away then is no reason not to start. */
  const ready = (): Promise<void> =>
    (migrated ??= prepare().catch((error: unknown) => {
      migrated = null;
      throw error;
    }));
  return {
    put: async ({ id, part, userId, tag, sealedKey, ciphertext }, replaces) => {
      await ready();
      const { rowCount } = await pool.query(
        `INSERT INTO ${SCHEMA}.blob AS b VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id, part) DO UPDATE SET tag = excluded.tag, sealed_key = excluded.sealed_key, ciphertext = excluded.ciphertext
         WHERE b.tag = $7`,
        [id, part, userId, tag, sealedKey, ciphertext, replaces],
      );
      return rowCount === 1;
    },
    get: async (id, part) => {
      await ready();
      const { rows } = await pool.query<{ tag: string; sealed_key: string; ciphertext: Buffer }>(
        `SELECT tag, sealed_key, ciphertext FROM ${SCHEMA}.blob WHERE id = $1 AND part = $2`,
        [id, part],
      );
      const [row] = rows;
      return row === undefined ? null : { tag: row.tag, sealedKey: row.sealed_key, ciphertext: row.ciphertext };
    },
    remove: async (ids) => {
      await ready();
      await pool.query(`DELETE FROM ${SCHEMA}.blob WHERE id = ANY ($1)`, [[...ids]]);
    },
    close: () => pool.end(),
  };
};
