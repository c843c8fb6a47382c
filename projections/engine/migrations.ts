import type { Sql } from '../ports/read-model-database.ts';

/** What a part of the program keeps in a schema of its own, as the steps by which it came to be. */
export interface SchemaHistory {
  /** What is kept there, in words for an error message: "the read models". */
  readonly of: string;
  readonly schema: string;
  /** Says which steps were taken. */
  readonly table: string;
  /** Key of an advisory lock in SQL, one number or two; whoever migrates holds it. */
  readonly lock: string;
  /**
   * SQL, any number of statements each. A new step is added at the end and none is ever changed. A step may add what the program of the version
   * before does not look at, and nothing else: its processes go on beside the new ones until they are replaced.
   */
  readonly steps: readonly string[];
}

/** The database was made, or brought up to date, by a later version of this program. */
export class DatabaseIsNewer extends Error {
  constructor({ of, steps }: SchemaHistory, found: number) {
    super(
      `${of} in this database have schema version ${found}; this program knows ${steps.length}. Run the version that made it, or a later one`,
    );
    this.name = 'DatabaseIsNewer';
  }
}

/** How many steps a database has behind it; none when it does not have the schema. */
const stepsTaken = async (sql: Sql, { schema, table }: SchemaHistory): Promise<number> => {
  const { rows: found } = await sql.query<{ present: boolean }>('SELECT to_regclass($1) IS NOT NULL AS present', [`${schema}.${table}`]);
  if (found[0]?.present !== true) return 0;
  const { rows } = await sql.query<{ version: number }>(`SELECT coalesce(max(version), 0) AS version FROM ${schema}.${table}`);
  return rows[0]?.version ?? 0;
};

/** The version of a database's schema: 0 where there is none. Throws {@link DatabaseIsNewer} when it is beyond this program's. */
export const schemaVersion = async (sql: Sql, history: SchemaHistory): Promise<number> => {
  const version = await stepsTaken(sql, history);
  if (version > history.steps.length) throw new DatabaseIsNewer(history, version);
  return version;
};

/**
 * Takes the steps that a database does not have behind it yet; all of them in an empty one, none in one that is up to date. Forward only. Any
 * number of processes may do so at once: one does the work, the rest wait for it. In the caller's transaction, so that a step that
 * fails leaves nothing behind. Throws {@link DatabaseIsNewer}.
 */
export const migrate = async (tx: Sql, history: SchemaHistory): Promise<void> => {
  const { schema, table, lock, steps } = history;
  await tx.query(`SELECT pg_advisory_xact_lock(${lock})`);
  await tx.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await tx.query(
    `CREATE TABLE IF NOT EXISTS ${schema}.${table} (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`,
  );
  const version = await schemaVersion(tx, history);
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    await tx.query(step);
    await tx.query(`INSERT INTO ${schema}.${table} (version) VALUES ($1)`, [index + 1]);
  }
};
