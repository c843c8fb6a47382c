import pg from 'pg';
import { migrate, type SchemaHistory } from '../../projections/engine/migrations.ts';
import { outliveLostConnections } from '../postgres/outlive-lost-connections.ts';
import type { ContentKeys } from './content-keys.ts';

const SCHEMA = 'content';

const HISTORY: SchemaHistory = {
  of: 'the keys of contents',
  schema: SCHEMA,
  table: 'migration',
  lock: `hashtext('oblivious ${SCHEMA}')`,
  steps: [
    `CREATE TABLE ${SCHEMA}.content_key (
       content_id text COLLATE "C" PRIMARY KEY,
       content_group text COLLATE "C" NOT NULL,
       user_id text NOT NULL,
       sealed_key text NOT NULL,
       expires_at timestamptz NOT NULL
     );
     CREATE INDEX content_key_group ON ${SCHEMA}.content_key (content_group);
     CREATE INDEX content_key_expiry ON ${SCHEMA}.content_key (expires_at)`,
  ],
};

const CONNECT_MS = 5_000;
const STATEMENT_MS = 5_000;

/** Keys of contents in PostgreSQL, beside the log and the read models and part of neither. */
export const postgresContentKeys = (connectionString: string, connections: number): ContentKeys => {
  const pool = new pg.Pool({
    connectionString,
    max: connections,
    application_name: 'oblivious content keys',
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    idleTimeoutMillis: 60_000,
  });
  outliveLostConnections(pool);
  const inTransaction = async (work: (client: pg.PoolClient) => Promise<unknown>): Promise<void> => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await work(client);
      await client.query('COMMIT');
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  };
  let migrated: Promise<void> | null = null;
  /** At the first use: a database that is away then is no reason not to start. */
  const ready = (): Promise<void> =>
    (migrated ??= inTransaction((client) =>
      migrate(
        {
          query: async <Row extends object>(text: string, values: readonly unknown[] = []) => {
            const { rows, rowCount } = await client.query<Row & pg.QueryResultRow>(text, [...values]);
            return { rows, rowCount: rowCount ?? 0 };
          },
        },
        HISTORY,
      ),
    ).catch((error: unknown) => {
      migrated = null;
      throw error;
    }));
  return {
    put: async (keys, { group, userId, expiresAt }) => {
      await ready();
      const until = new Date(expiresAt);
      await inTransaction(async (client) => {
        await client.query(
          `INSERT INTO ${SCHEMA}.content_key SELECT content_id, $3, $4, sealed_key, $5
           FROM unnest($1::text[], $2::text[]) AS made (content_id, sealed_key)`,
          [keys.map(({ contentId }) => contentId), keys.map(({ sealedKey }) => sealedKey), group, userId, until],
        );
        await client.query(`UPDATE ${SCHEMA}.content_key SET expires_at = $2 WHERE content_group = $1 AND expires_at < $2`, [group, until]);
      });
    },
    get: async (contentIds, now) => {
      await ready();
      const { rows } = await pool.query<{ content_id: string; sealed_key: string }>(
        `SELECT content_id, sealed_key FROM ${SCHEMA}.content_key WHERE content_id = ANY ($1) AND expires_at > $2`,
        [[...contentIds], new Date(now)],
      );
      return new Map(rows.map((row) => [row.content_id, row.sealed_key]));
    },
    remove: async (contentId) => {
      await ready();
      await pool.query(`DELETE FROM ${SCHEMA}.content_key WHERE content_id = $1`, [contentId]);
    },
    removeGroup: async (group) => {
      await ready();
      await pool.query(`DELETE FROM ${SCHEMA}.content_key WHERE content_group = $1`, [group]);
    },
    removeExpired: async (now) => {
      await ready();
      await pool.query(`DELETE FROM ${SCHEMA}.content_key WHERE expires_at <= $1`, [new Date(now)]);
    },
    close: () => pool.end(),
  };
};
