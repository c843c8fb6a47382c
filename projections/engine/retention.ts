import type { Instant } from '../../schemas/time.ts';
import type { ReadModelDatabase, Sql } from '../ports/read-model-database.ts';
import { ENGINE_SCHEMA } from './engine-schema.ts';
import { beginningOf, dropBelow, ensurePartition, monthOf, nextMonth, partitionedTablesOf } from './partitions.ts';
import type { Projection } from './projection.ts';

export interface RetentionOptions {
  readonly database: Pick<ReadModelDatabase, 'query' | 'transaction'>;
  readonly projections: readonly Projection[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** How long rows of partitioned tables are kept, and up to a month longer; `null` for ever. */
  readonly days: number | null;
}

const DAY_MS = 86_400_000;

/** How long the projector and whoever reads may be held up by it. */
const LOCK_WAIT_MS = 3_000;

const instantOf = (moment: number): Instant => new Date(moment).toISOString();

/** The beginning of the month in which what is just about kept lies; `null` when everything is kept. */
export const keptFrom = (now: number, days: number | null): Instant | null =>
  days === null ? null : beginningOf(monthOf(instantOf(now - days * DAY_MS)));

interface Kept {
  readonly floor: Instant | null;
  readonly keptFrom: Instant | null;
}

const keptOf = async (sql: Sql, { name, version }: Projection, lock: boolean): Promise<Kept | null> => {
  const { rows } = await sql.query<Kept>(
    `SELECT floor, kept_from AS "keptFrom" FROM ${ENGINE_SCHEMA}.checkpoint WHERE projection = $1 AND version = $2 AND build = 'live'${lock ? ' FOR UPDATE' : ''}`,
    [name, version],
  );
  return rows[0] ?? null;
};

/** The later of two floors. */
export const higherFloor = (one: Instant | null, other: Instant | null): Instant | null =>
  one === null || (other !== null && other > one) ? other : one;

/**
 * Makes the partitions of this month and the next ahead, so that the projector finds them, and drops whole months that are out of retention. What
 * was dropped stays so when the retention is made longer, until the read model is rebuilt. Any process may do so, at any time. Answers with how many
 * partitions went.
 */
export const keepPartitions = async ({ database, projections, now, days }: RetentionOptions): Promise<number> => {
  const wanted = keptFrom(now, days);
  const month = monthOf(instantOf(now));
  let dropped = 0;
  for (const projection of projections) {
    const tables = partitionedTablesOf(projection);
    if (tables.length === 0 || (await keptOf(database, projection, false)) === null) continue;
    dropped += await database.transaction(async (tx) => {
      await tx.query(`SET LOCAL lock_timeout = ${LOCK_WAIT_MS}`);
      const kept = await keptOf(tx, projection, true);
      if (kept === null) return 0;
      const floor = higherFloor(kept.floor, wanted);
      if (floor !== kept.floor || wanted !== kept.keptFrom)
        await tx.query(
          `UPDATE ${ENGINE_SCHEMA}.checkpoint SET floor = $3, kept_from = $4 WHERE projection = $1 AND version = $2 AND build = 'live'`,
          [projection.name, projection.version, floor, wanted],
        );
      let gone = 0;
      for (const table of tables) {
        if (floor !== null && floor !== kept.floor) gone += await dropBelow(tx, table, floor);
        for (const ahead of [month, nextMonth(month)]) await ensurePartition(tx, table, ahead, floor);
      }
      return gone;
    });
  }
  return dropped;
};
