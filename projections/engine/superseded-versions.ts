import type { Sql } from '../ports/read-model-database.ts';
import { readCheckpoints } from './checkpoint.ts';
import { ENGINE_SCHEMA, LIVE_SCHEMA } from './engine-schema.ts';
import { tableName, type Projection } from './projection.ts';

/**
 * Removes earlier versions of projections whose present version is as far as they are. Until the first start after that they stay:
 * processes of the version before go on reading them while it is replaced, and a step back finds them there.
 */
export const dropSupersededVersions = async (tx: Sql, projections: readonly Projection[]): Promise<void> => {
  const checkpoints = await readCheckpoints(tx);
  for (const { name, version } of projections) {
    const own = checkpoints.filter(({ projection, build }) => projection === name && build === 'live');
    const present = own.find((checkpoint) => checkpoint.version === version);
    for (const earlier of own) {
      if (present === undefined || earlier.version >= version || earlier.position > present.position) continue;
      const { rows } = await tx.query<{ table: string }>(
        `SELECT tablename AS "table" FROM pg_tables WHERE schemaname = '${LIVE_SCHEMA}' AND tablename ~ ('^' || $1 || '(_|$)')`,
        [tableName(name, earlier.version)],
      );
      await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.checkpoint WHERE projection = $1 AND version = $2`, [name, earlier.version]);
      await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.parked_event WHERE projection = $1 AND version = $2`, [name, earlier.version]);
      await tx.query(`DELETE FROM ${ENGINE_SCHEMA}.partition_offset WHERE projection = $1 AND version = $2`, [name, earlier.version]);
      for (const { table } of rows) await tx.query(`DROP TABLE IF EXISTS ${LIVE_SCHEMA}.${table}`);
    }
  }
};
