import type { JsonObject, Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { ENGINE_SCHEMA } from './engine-schema.ts';
import { jsonParameter } from './json-parameter.ts';
import type { Projection } from './projection.ts';

/** An event that a projection could not apply, or that waits behind such a one in its stream. */
export interface ParkedEvent {
  readonly id: bigint;
  readonly projection: string;
  readonly version: number;
  readonly stream: string;
  readonly position: Position;
  readonly type: string;
  readonly event: RecordedEvent;
  /** Nothing is known to be wrong with it; one before it in its stream is parked. */
  readonly waiting: boolean;
  readonly error: string;
  readonly attempts: number;
  readonly parkedAt: string;
}

export interface NewlyParked {
  readonly event: RecordedEvent;
  readonly waiting: boolean;
  readonly error: string;
}

/** Body and metadata are named: what is parsed when it is looked at is in no copy of the rest. */
const toJson = (event: RecordedEvent): JsonObject => ({
  ...event,
  position: event.position.toString(),
  data: event.data,
  metadata: { ...event.metadata },
});

/** Long enough to tell what is wrong, short enough for a table. */
const ERROR_LENGTH = 2_000;

export const insertParked = async (tx: Sql, { name, version }: Projection, parked: readonly NewlyParked[]): Promise<void> => {
  if (parked.length === 0) return;
  const rows = parked.map(({ event, waiting, error }) => ({
    stream: event.stream,
    position: event.position.toString(),
    type: event.type,
    event: toJson(event),
    waiting,
    error: error.slice(0, ERROR_LENGTH),
    attempts: waiting ? 0 : 1,
  }));
  await tx.query(
    `INSERT INTO ${ENGINE_SCHEMA}.parked_event (projection, version, stream, position, type, event, waiting, error, attempts)
     SELECT $1, $2, stream, position, type, event, waiting, error, attempts
     FROM jsonb_to_recordset($3::jsonb) AS parked(stream text, position bigint, type text, event jsonb, waiting boolean, error text, attempts integer)
     ON CONFLICT (projection, version, position) DO NOTHING`,
    [name, version, jsonParameter(rows)],
  );
};

/** The streams whose events a projection has to set aside. */
export const blockedStreams = async (sql: Sql, { name, version }: Projection): Promise<ReadonlySet<string>> => {
  const { rows } = await sql.query<{ stream: string }>(
    `SELECT DISTINCT stream FROM ${ENGINE_SCHEMA}.parked_event WHERE projection = $1 AND version = $2`,
    [name, version],
  );
  return new Set(rows.map((row) => row.stream));
};

type StoredParked = Omit<ParkedEvent, 'event'> & { readonly event: Omit<RecordedEvent, 'position'> & { readonly position: string } };

export interface ParkedFilter {
  readonly id?: bigint;
  readonly projection?: string;
  readonly version?: number;
  readonly stream?: string;
  /** Leaves out events that only wait behind another. */
  readonly poisonOnly?: boolean;
  /** Keyset paging: what lies after this id. */
  readonly after?: bigint;
  readonly limit?: number;
}

/** Parked events in the order of their ids, which within a stream is the log's. */
export const readParked = async (sql: Sql, filter: ParkedFilter = {}): Promise<readonly ParkedEvent[]> => {
  const { rows } = await sql.query<StoredParked>(
    `SELECT id, projection, version, stream, position, type, event, waiting, error, attempts, parked_at AS "parkedAt"
     FROM ${ENGINE_SCHEMA}.parked_event
     WHERE ($1::bigint IS NULL OR id = $1) AND ($2::text IS NULL OR projection = $2) AND ($3::int IS NULL OR version = $3) AND ($4::text IS NULL OR stream = $4)
       AND (NOT $5::boolean OR NOT waiting) AND ($6::bigint IS NULL OR id > $6)
     ORDER BY id LIMIT $7`,
    [
      filter.id ?? null,
      filter.projection ?? null,
      filter.version ?? null,
      filter.stream ?? null,
      filter.poisonOnly ?? false,
      filter.after ?? null,
      filter.limit ?? null,
    ],
  );
  return rows.map((row) => ({ ...row, event: { ...row.event, position: BigInt(row.event.position) as Position } }));
};
