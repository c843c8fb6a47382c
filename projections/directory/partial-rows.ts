import { START, type Position } from '../../schemas/event-envelope.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import type { DocumentAt } from '../engine/document-rows.ts';
import { tableName, type DocumentProjection } from '../engine/projection.ts';
import type { Sql } from '../ports/read-model-database.ts';
import type { Extent } from './held-documents.ts';

type Table = Pick<DocumentProjection<EventType, unknown>, 'name' | 'version'>;

export const countRows = async (sql: Sql, { name, version }: Table): Promise<number> => {
  const { rows } = await sql.query<{ count: bigint }>(`SELECT count(*) AS count FROM ${tableName(name, version)}`);
  return Number(rows[0]?.count ?? 0);
};

/** Ids sort by the time of their making. */
export const newestKeys = async (sql: Sql, { name, version }: Table, most: number): Promise<readonly string[]> => {
  const { rows } = await sql.query<{ key: string }>(`SELECT key FROM ${tableName(name, version)} ORDER BY key DESC LIMIT $1`, [most]);
  return rows.map(({ key }) => key);
};

/** The rows that changed last, without their documents: what has to be known of documents that stay outside. */
export const recentChanges = async (
  sql: Sql,
  { name, version }: Table,
  at: Position,
  most: number,
): Promise<Extract<Extent, { kind: 'some' }>> => {
  const { rows } = await sql.query<{ key: string; position: Position }>(
    `SELECT key, position FROM ${tableName(name, version)} ORDER BY position DESC LIMIT $1`,
    [most],
  );
  const oldest = rows.at(-1)?.position ?? at;
  return {
    kind: 'some',
    knownFrom: rows.length < most ? START : oldest,
    changes: rows.toReversed().map(({ key, position }) => [key, position] as const),
  };
};

export const readSome = async <Type extends EventType, Doc>(
  sql: Sql,
  { name, version, schema }: DocumentProjection<Type, Doc>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, DocumentAt<Doc>>> => {
  if (keys.length === 0) return new Map();
  const { rows } = await sql.query<{ key: string; position: Position; doc: unknown }>(
    `SELECT key, position, doc FROM ${tableName(name, version)} WHERE key = ANY($1)`,
    [keys],
  );
  return new Map(rows.map(({ key, position, doc }) => [key, { position, doc: schema.parse(doc) }]));
};
