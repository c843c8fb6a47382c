import { z } from 'zod';
import type { EventType } from '../../schemas/events/catalogue.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { jsonParameter } from './json-parameter.ts';
import type { ProjectedEvent } from './projected-event.ts';
import { tableName, type DocumentProjection } from './projection.ts';

interface Row {
  readonly key: string;
  readonly position: Position;
  readonly doc: unknown;
}

/** A document and the last event that it shows. */
export interface DocumentAt<Doc> {
  readonly doc: Doc | undefined;
  readonly position: Position;
}

/** One step of the fold, in rows and in memory alike. An event that the document shows already changes nothing. */
export const foldDocument = <Type extends EventType, Doc>(
  projection: DocumentProjection<Type, Doc>,
  current: DocumentAt<Doc> | undefined,
  event: ProjectedEvent<Type>,
): DocumentAt<Doc> | undefined =>
  current !== undefined && event.position <= current.position
    ? current
    : { doc: projection.evolve(current?.doc, event), position: event.position };

/** Folds a batch into the rows that it concerns. */
export const applyToDocuments = async (
  tx: Sql,
  projection: DocumentProjection<EventType, unknown>,
  events: readonly ProjectedEvent[],
): Promise<void> => {
  const table = tableName(projection.name, projection.version);
  const keys = [...new Set(events.map((event) => projection.keyOf(event)))];
  const { rows } = await tx.query<Row>(`SELECT key, position, doc FROM ${table} WHERE key = ANY($1)`, [keys]);
  const documents = new Map<string, DocumentAt<unknown>>(
    rows.map(({ key, position, doc }) => [key, { position, doc: projection.schema.parse(doc) }]),
  );
  for (const event of events) {
    const key = projection.keyOf(event);
    const next = foldDocument(projection, documents.get(key), event);
    if (next !== undefined) documents.set(key, next);
  }

  const gone = [...documents].filter(([, { doc }]) => doc === undefined).map(([key]) => key);
  const kept = [...documents].flatMap(([key, { doc, position }]) =>
    doc === undefined ? [] : [{ key, position: position.toString(), doc: z.encode(projection.schema, doc) }],
  );
  if (gone.length > 0) await tx.query(`DELETE FROM ${table} WHERE key = ANY($1)`, [gone]);
  if (kept.length > 0) {
    await tx.query(
      `INSERT INTO ${table} (key, position, doc) SELECT key, position, doc FROM jsonb_to_recordset($1::jsonb) AS kept(key text, position bigint, doc jsonb)
       ON CONFLICT (key) DO UPDATE SET position = excluded.position, doc = excluded.doc`,
      [jsonParameter(kept)],
    );
  }
};

/** Every document of a projection, for a fold that goes on in memory. */
export const readDocuments = async <Type extends EventType, Doc>(
  sql: Sql,
  projection: DocumentProjection<Type, Doc>,
): Promise<ReadonlyMap<string, { readonly doc: Doc; readonly position: Position }>> => {
  const { rows } = await sql.query<Row>(`SELECT key, position, doc FROM ${tableName(projection.name, projection.version)}`);
  return new Map(rows.map(({ key, position, doc }) => [key, { position, doc: projection.schema.parse(doc) }]));
};
