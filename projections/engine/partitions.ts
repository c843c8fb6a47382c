import type { Instant } from '../../schemas/time.ts';
import type { Sql } from '../ports/read-model-database.ts';
import type { Build } from './checkpoint.ts';
import { ENGINE_SCHEMA } from './engine-schema.ts';
import type { ProjectedEvent } from './projected-event.ts';
import { tablesOf, type PartitionDefinition, type Projection, type TableDefinition } from './projection.ts';

/** A table whose rows stand in partitions by time. */
export type PartitionedTable = TableDefinition & { readonly partitions: PartitionDefinition };

export const partitionedTablesOf = (projection: Projection): readonly PartitionedTable[] =>
  tablesOf(projection).filter((table): table is PartitionedTable => table.partitions !== undefined);

/** A month in UTC, as `2026-01`: what one partition holds. */
type Month = string;

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;
const MONTH_LENGTH = 7;

/** Whose month an instant is in. Throws at what is none: it would become part of a statement. */
export const monthOf = (instant: Instant): Month => {
  const month = instant.slice(0, MONTH_LENGTH);
  if (!MONTH.test(month)) throw new RangeError(`${instant} is in no month that rows are kept of`);
  return month;
};

export const nextMonth = (month: Month): Month => {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return number === 12 ? `${String(year + 1).padStart(4, '0')}-01` : `${month.slice(0, 5)}${String(number + 1).padStart(2, '0')}`;
};

/** The first moment of a month. */
export const beginningOf = (month: Month): Instant => `${month}-01T00:00:00.000Z`;

const partitionOf = (table: string, month: Month): string => `${table}_${month.replace('-', '_')}`;

/** Holds nothing, and takes whatever is older than is kept. */
const discarding = (table: string): string => `${table}_gone`;

const storageOf = ({ storage }: PartitionDefinition): string => (storage === undefined ? '' : ` WITH (${storage})`);

/** As `ATTACH`, which others can read beside; a partition made in place would wait for every reader of the table. */
const makePartition = async (tx: Sql, { name, partitions }: PartitionedTable, month: Month): Promise<void> => {
  const partition = partitionOf(name, month);
  await tx.query(
    `CREATE TABLE ${partition} (LIKE ${name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)${storageOf(partitions)}`,
  );
  await tx.query(
    `ALTER TABLE ${name} ATTACH PARTITION ${partition} FOR VALUES FROM ('${beginningOf(month)}') TO ('${beginningOf(nextMonth(month))}')`,
  );
};

/** Names of a table's partitions, with their schema. */
export const partitionsOf = async (tx: Sql, table: string): Promise<readonly string[]> => {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = to_regclass($1) ORDER BY 1`,
    [table],
  );
  return rows.map(({ name }) => name);
};

/** Drops what is older than the floor, a whole month at a time, and discards from here on what would be. Names without a schema. */
export const dropBelow = async (tx: Sql, table: PartitionedTable, floor: Instant): Promise<number> => {
  const { name } = table;
  const first = partitionOf(name, monthOf(floor));
  let dropped = 0;
  for (const partition of await partitionsOf(tx, name)) {
    const own = partition.slice(partition.lastIndexOf('.') + 1);
    if (own !== discarding(name) && own >= first) continue;
    if (own !== discarding(name)) dropped++;
    await tx.query(`DROP TABLE ${partition}`);
  }
  await tx.query(`CREATE TABLE ${discarding(name)} PARTITION OF ${name} FOR VALUES FROM (MINVALUE) TO ('${floor}')`);
  await tx.query(`CREATE TRIGGER discard BEFORE INSERT ON ${discarding(name)} FOR EACH ROW EXECUTE FUNCTION ${ENGINE_SCHEMA}.discard()`);
  return dropped;
};

/** Makes a month's partition unless it is there or out of retention. */
export const ensurePartition = async (tx: Sql, table: PartitionedTable, month: Month, floor: Instant | null): Promise<void> => {
  if (floor !== null && beginningOf(month) < floor) return;
  const isThere = async (): Promise<boolean> => {
    const { rows } = await tx.query<{ present: boolean }>('SELECT to_regclass($1) IS NOT NULL AS present', [
      partitionOf(table.name, month),
    ]);
    return rows[0]?.present === true;
  };
  if (await isThere()) return;
  // Several may write to one read model, each of them to other parts of it.
  await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [table.name]);
  if (!(await isThere())) await makePartition(tx, table, month);
};

/** The months that rows of some events are in. */
export class NeededMonths {
  readonly table: PartitionedTable;
  readonly #months = new Set<Month>();
  #last = '';

  constructor(table: PartitionedTable) {
    this.table = table;
  }

  get months(): Iterable<Month> {
    return this.#months;
  }

  /** Throws when the event is of no time that rows are kept of. */
  add(event: ProjectedEvent): void {
    const moment = this.table.partitions.momentOf(event);
    // Neighbours are nearly always of one month.
    if (this.#last !== '' && moment.startsWith(this.#last)) return;
    this.#last = monthOf(moment);
    this.#months.add(this.#last);
  }
}

const partitionedTables = new WeakMap<Projection, readonly PartitionedTable[]>();

/**
 * The partitions of one build of a projection as whoever writes to it knows them: each is asked for once. Within the transaction that writes:
 * whoever rolls one back, or is fenced, has to {@link forget}.
 */
export class KnownPartitions {
  readonly #projection: Projection;
  readonly #build: Build;
  readonly #tables: readonly PartitionedTable[];
  readonly #known = new Map<string, Set<Month>>();

  constructor(projection: Projection, build: Build) {
    this.#projection = projection;
    this.#build = build;
    let tables = partitionedTables.get(projection);
    if (tables === undefined) {
      tables = partitionedTablesOf(projection);
      partitionedTables.set(projection, tables);
    }
    this.#tables = tables;
  }

  forget(): void {
    this.#known.clear();
  }

  /** What to note events in, one for each table. */
  needed(): readonly NeededMonths[] {
    return this.#tables.map((table) => new NeededMonths(table));
  }

  async make(tx: Sql, needed: readonly NeededMonths[]): Promise<void> {
    for (const { table, months } of needed) {
      let known = this.#known.get(table.name);
      if (known === undefined) {
        known = new Set();
        this.#known.set(table.name, known);
      }
      for (const month of months) {
        if (known.has(month)) continue;
        await ensurePartition(tx, table, month, await this.#floor(tx));
        known.add(month);
      }
    }
  }

  async #floor(tx: Sql): Promise<Instant | null> {
    const { name, version } = this.#projection;
    const { rows } = await tx.query<{ floor: Instant | null }>(
      `SELECT floor FROM ${ENGINE_SCHEMA}.checkpoint WHERE projection = $1 AND version = $2 AND build = $3`,
      [name, version, this.#build],
    );
    return rows[0]?.floor ?? null;
  }
}
