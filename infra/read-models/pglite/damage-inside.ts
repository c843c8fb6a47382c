import type { PGlite } from '@electric-sql/pglite';

interface Relation {
  readonly name: string;
  readonly key: string | null;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Reads everything that can be read: every page of every table (page checksums are on), the structure of every index and
 * that no row is missing from it, and every row by way of its primary key, which a table that was cut short cannot give.
 * Answers with what is wrong, or `null`.
 */
export const damageInside = async (database: Pick<PGlite, 'exec' | 'query'>): Promise<string | null> => {
  try {
    await database.exec('CREATE EXTENSION IF NOT EXISTS amcheck');
    const { rows: corrupt } = await database.query<{ name: string; message: string }>(
      `SELECT c.oid::regclass::text AS name, found.msg AS message
       FROM pg_class AS c, verify_heapam(c.oid) AS found
       WHERE c.relkind IN ('r', 't', 'm') AND c.relpersistence = 'p' LIMIT 1`,
    );
    if (corrupt[0] !== undefined) return `table ${corrupt[0].name}: ${corrupt[0].message}`;
    await database.query(
      `SELECT bt_index_check(c.oid, true) FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam JOIN pg_index AS i ON i.indexrelid = c.oid
       WHERE c.relkind = 'i' AND a.amname = 'btree' AND c.relpersistence = 'p' AND i.indisready AND i.indisvalid`,
    );
    const { rows: tables } = await database.query<Relation>(
      `SELECT c.oid::regclass::text AS name, (SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary) AS key
       FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
       WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')`,
    );
    for (const { name, key } of tables) {
      const { rows: all } = await database.query<{ count: number }>(`SELECT count(*) AS count FROM ${name}`);
      if (key === null) continue;
      await database.exec('SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; SET enable_sort = off');
      const { rows: byKey } = await database.query<{ count: number }>(
        `SELECT count(*) AS count FROM (SELECT * FROM ${name} ORDER BY ${key} OFFSET 0) AS ordered`,
      );
      await database.exec('RESET ALL');
      if (byKey[0]?.count !== all[0]?.count) return `table ${name} has ${all[0]?.count ?? 0} rows and ${byKey[0]?.count ?? 0} by its key`;
    }
    return null;
  } catch (error) {
    return messageOf(error);
  }
};
