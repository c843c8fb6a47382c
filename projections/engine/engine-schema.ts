import type { Sql } from '../ports/read-model-database.ts';
import type { SchemaHistory } from './migrations.ts';

/** Holds what the engine knows about read models. */
export const ENGINE_SCHEMA = 'read_models_engine';

/** Holds the read models that queries see; every connection's search path. */
export const LIVE_SCHEMA = 'read_models';

const BUILD_PREFIX = 'read_models_build_';

/** Holds a read model that is being rebuilt beside the live one, under the same table names. */
export const buildSchema = (projection: string): string => BUILD_PREFIX + projection.replaceAll('-', '_');

const MIGRATIONS: readonly string[] = [
  `CREATE SCHEMA IF NOT EXISTS ${LIVE_SCHEMA};
   CREATE TABLE ${ENGINE_SCHEMA}.checkpoint (
     projection text NOT NULL,
     version integer NOT NULL,
     build text NOT NULL CHECK (build IN ('live', 'shadow')),
     -- Everything at or before it that the projection wants is in its tables.
     position bigint NOT NULL,
     -- The last event applied, by which the log that the rows were made from is known again.
     event_position bigint,
     event_id uuid,
     -- Moves when somebody other than the projector changed what is parked.
     epoch bigint NOT NULL DEFAULT 0,
     -- Of a shadow build: who fills it, and how far it has to go.
     owner text,
     target bigint,
     started_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (projection, version, build)
   );
   CREATE TABLE ${ENGINE_SCHEMA}.parked_event (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     projection text NOT NULL,
     version integer NOT NULL,
     stream text NOT NULL,
     position bigint NOT NULL,
     type text NOT NULL,
     event jsonb NOT NULL,
     -- Nothing is wrong with the event itself: one before it in its stream is parked.
     waiting boolean NOT NULL,
     error text NOT NULL,
     attempts integer NOT NULL,
     parked_at timestamptz NOT NULL DEFAULT now(),
     UNIQUE (projection, version, position)
   );
   CREATE INDEX parked_event_stream ON ${ENGINE_SCHEMA}.parked_event (projection, version, stream, position)`,

  `-- Of tables that are partitioned by time: rows before floor are gone, and what would make one is discarded. kept_from is what an operator
   -- wants: beyond floor it is about to be dropped, before floor a rebuild brings it back.
   ALTER TABLE ${ENGINE_SCHEMA}.checkpoint ADD COLUMN floor timestamptz, ADD COLUMN kept_from timestamptz;
   CREATE FUNCTION ${ENGINE_SCHEMA}.discard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,

  `-- Follows Kafka since this handing over; null: follows the log.
   ALTER TABLE ${ENGINE_SCHEMA}.checkpoint ADD COLUMN handed_over uuid;
   -- Of a live build that was handed over: how far it is in each partition of the topic of events.
   CREATE TABLE ${ENGINE_SCHEMA}.partition_offset (
     projection text NOT NULL,
     version integer NOT NULL,
     partition integer NOT NULL,
     topic text NOT NULL,
     -- Every record before this offset was applied, or was none of the projection's.
     next bigint NOT NULL,
     -- Every event of this partition at or before this position of the log is in the tables, and none after it.
     position bigint NOT NULL,
     event_position bigint,
     event_id uuid,
     PRIMARY KEY (projection, version, partition)
   )`,
];

/** What the engine keeps for itself. */
export const ENGINE_HISTORY: SchemaHistory = {
  of: 'The read models',
  schema: ENGINE_SCHEMA,
  table: 'migration',
  lock: `hashtext('${ENGINE_SCHEMA}')`,
  steps: MIGRATIONS,
};

/** Removes every read model and all the engine knows: the log is the truth, and everything is made from it anew. */
export const dropReadModels = async (tx: Sql): Promise<void> => {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('${ENGINE_SCHEMA}'))`);
  const { rows } = await tx.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_namespace WHERE nspname IN ($1, $2) OR starts_with(nspname, $3)`,
    [ENGINE_SCHEMA, LIVE_SCHEMA, BUILD_PREFIX],
  );
  for (const { name } of rows) await tx.query(`DROP SCHEMA ${name} CASCADE`);
};
