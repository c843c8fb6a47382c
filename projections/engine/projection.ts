import type { z } from 'zod';
import type { JsonObject } from '../../schemas/event-envelope.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import type { Instant } from '../../schemas/time.ts';
import type { ProjectedEvent } from './projected-event.ts';

/** A table of a read model. It has a column `position bigint`: the last event that the row shows. */
export interface TableDefinition {
  /** Ends in its projection's version, so that two versions stand side by side: see {@link tableName}. */
  readonly name: string;
  /** The statements that make the table and its indexes, names without a schema. */
  readonly ddl: readonly string[];
  /** The table is partitioned by range of a time. Partitions are the engine's: made as they are needed, dropped when they are out of retention. */
  readonly partitions?: PartitionDefinition;
}

export interface PartitionDefinition {
  /** `timestamptz`, which the table is partitioned by. */
  readonly column: string;
  /** What the column holds in rows that the event makes or changes. */
  momentOf(event: ProjectedEvent): Instant;
  /** Storage parameters, which a partitioned table cannot have itself. */
  readonly storage?: string;
}

/** SQL with its parameters; objects among them as JSON text, columns of many rows as `ColumnValues`. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

interface ProjectionIdentity<Type extends EventType> {
  readonly name: string;
  /** Raised whenever the same events would give other rows. */
  readonly version: number;
  /** Every other type is skipped. */
  readonly types: readonly Type[];
}

/**
 * One document per key, made by a pure fold that runs in the database's rows and in memory alike. All events of one key
 * stand in one stream.
 */
export interface DocumentProjection<Type extends EventType, Doc> extends ProjectionIdentity<Type> {
  readonly kind: 'document';
  /** The document in the program, and its JSON form in the row. */
  readonly schema: z.ZodType<Doc, JsonObject>;
  /** Index definitions over `doc`: the part after `ON table`, such as `((doc->>'email'))`. */
  readonly indexes?: readonly string[];
  keyOf(event: ProjectedEvent<Type>): string;
  /** `undefined` means no document. Never refuses: what has been recorded has happened. */
  evolve(doc: Doc | undefined, event: ProjectedEvent<Type>): Doc | undefined;
}

/** What a batch does to the tables of a projection. It is to be less than the events themselves: they are let go of when they were added. */
export interface Gathering<Type extends EventType> {
  /** Throws at an event that cannot be applied; what was gathered is of no use then. */
  add(event: ProjectedEvent<Type>): void;
  /**
   * The statements for what was gathered, in order, whenever they are asked for. Each is taken when the one before it has been run, so that those
   * of a large batch can be made piece by piece.
   */
  statements(): Iterable<Statement>;
}

/** Rows made by a few set-based statements for a whole batch of events. */
export interface TableProjection<Type extends EventType> extends ProjectionIdentity<Type> {
  readonly kind: 'table';
  readonly tables: readonly TableDefinition[];
  /** Begins a batch. Running the statements of a batch must be the same as running those of its parts one after another. */
  gather(): Gathering<Type>;
}

export type Projection = DocumentProjection<EventType, unknown> | TableProjection<EventType>;

/** `rm_{name}_v{version}`, with `_{part}` when the projection has more than one table. */
export const tableName = (name: string, version: number, part?: string): string =>
  `rm_${name.replaceAll('-', '_')}_v${version}${part === undefined ? '' : `_${part}`}`;

/** Lets a projection be typed by its own events and documents, and stand in the registry among all others. */
export const documentProjection = <const Type extends EventType, Doc>(
  projection: Omit<DocumentProjection<Type, Doc>, 'kind'>,
): DocumentProjection<Type, Doc> => ({ kind: 'document', ...projection });

export const tableProjection = <const Type extends EventType>(projection: Omit<TableProjection<Type>, 'kind'>): TableProjection<Type> => ({
  kind: 'table',
  ...projection,
});

const documentTable = ({ name, version, indexes = [] }: DocumentProjection<EventType, unknown>): TableDefinition => {
  const table = tableName(name, version);
  return {
    name: table,
    ddl: [
      `CREATE TABLE ${table} (key text COLLATE "C" PRIMARY KEY, position bigint NOT NULL, doc jsonb NOT NULL)`,
      ...indexes.map((definition, index) => `CREATE INDEX ${table}_${index + 1} ON ${table} ${definition}`),
    ],
  };
};

export const tablesOf = (projection: Projection): readonly TableDefinition[] =>
  projection.kind === 'document' ? [documentTable(projection)] : projection.tables;
