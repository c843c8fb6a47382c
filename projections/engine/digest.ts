import type { Instant } from '../../schemas/time.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { tablesOf, type Projection } from './projection.ts';

/** What a read model holds, whatever the order of its rows. */
export interface Digest {
  readonly rows: number;
  /** Hex; equal for equal rows, and different for different ones but for a collision of MD5. */
  readonly digest: string;
}

/**
 * The digest of a projection's tables in a schema. Each row's hash is added up in two halves, so that neither order nor
 * physical place counts and a row that is there twice counts twice. Rows of partitioned tables before `floor` do not count: what is out of
 * retention is in one build and not in the other.
 */
export const digestOf = async (tx: Sql, schema: string, projection: Projection, floor: Instant | null = null): Promise<Digest> => {
  const parts: string[] = [];
  let total = 0;
  for (const { name, partitions } of tablesOf(projection)) {
    const kept = floor === null || partitions === undefined ? '' : ` WHERE ${partitions.column} >= '${floor}'`;
    const { rows } = await tx.query<{ rows: bigint; high: string; low: string }>(
      `SELECT count(*) AS rows,
              coalesce(sum(('x' || left(hash, 15))::bit(60)::bigint::numeric), 0)::text AS high,
              coalesce(sum(('x' || right(hash, 15))::bit(60)::bigint::numeric), 0)::text AS low
       FROM (SELECT md5(t::text) AS hash FROM ${schema}.${name} AS t${kept}) AS hashed`,
    );
    const row = rows[0] ?? { rows: 0n, high: '0', low: '0' };
    total += Number(row.rows);
    parts.push(`${name}:${row.rows}:${row.high}:${row.low}`);
  }
  const { rows } = await tx.query<{ digest: string }>('SELECT md5($1) AS digest', [parts.join('|')]);
  return { rows: total, digest: rows[0]?.digest ?? '' };
};
