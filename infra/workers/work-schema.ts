import type { Sql } from '../../projections/ports/read-model-database.ts';

/**
 * Holds what workers have in hand. It lies beside the read models and is none: it is not thrown away with them. Where it is lost all the
 * same, workers go back to where the log says they began.
 */
export const WORK_SCHEMA = 'workers';

/** In order; a new one is added at the end and none is ever changed. */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE ${WORK_SCHEMA}.checkpoint (
       worker text PRIMARY KEY,
       -- Every event at or before it has been worked on, or is in the table of work.
       position bigint NOT NULL,
       -- Who follows the log for this worker, and until when he need not be asked.
       owner text,
       owned_until timestamptz,
       -- Moves with the owner: whoever had it before can store nothing any more.
       epoch bigint NOT NULL DEFAULT 0,
       updated_at timestamptz NOT NULL DEFAULT now()
     )`,
    `CREATE TABLE ${WORK_SCHEMA}.work (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       worker text NOT NULL,
       event_id uuid NOT NULL,
       stream text NOT NULL,
       position bigint NOT NULL,
       type text NOT NULL,
       event jsonb NOT NULL,
       attempts integer NOT NULL,
       due_at timestamptz NOT NULL,
       -- Who works on it, by a name of this one attempt, and until when he is not taken for dead.
       claim uuid,
       claimed_until timestamptz,
       error text,
       parked_at timestamptz,
       created_at timestamptz NOT NULL DEFAULT now(),
       UNIQUE (worker, event_id)
     )`,
    `CREATE INDEX work_due ON ${WORK_SCHEMA}.work (worker, due_at) WHERE parked_at IS NULL`,
    `CREATE INDEX work_stream ON ${WORK_SCHEMA}.work (worker, stream, position)`,
  ],
  // How far work that is in hand has come, for people to see.
  [`ALTER TABLE ${WORK_SCHEMA}.work ADD COLUMN done bigint, ADD COLUMN total bigint`],
  // Where a worker is in partitions of Kafka.
  [
    `CREATE TABLE ${WORK_SCHEMA}.partition_offset (
       worker text NOT NULL,
       topic text NOT NULL,
       "partition" integer NOT NULL,
       next bigint NOT NULL,
       position bigint NOT NULL,
       PRIMARY KEY (worker, topic, "partition")
     )`,
  ],
  // When upstreams are to be asked about tasks.
  [
    `CREATE TABLE ${WORK_SCHEMA}.task_poll (
       task_id text PRIMARY KEY,
       due_at timestamptz NOT NULL,
       polls integer NOT NULL DEFAULT 0,
       claim uuid,
       claimed_until timestamptz
     )`,
    `CREATE INDEX task_poll_due ON ${WORK_SCHEMA}.task_poll (due_at)`,
  ],
];

/** Makes or migrates the workers' tables. Two processes may do so at once. */
export const migrateWork = async (tx: Sql): Promise<void> => {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('oblivious ${WORK_SCHEMA}'))`);
  await tx.query(`CREATE SCHEMA IF NOT EXISTS ${WORK_SCHEMA}`);
  await tx.query(
    `CREATE TABLE IF NOT EXISTS ${WORK_SCHEMA}.migration (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`,
  );
  const { rows } = await tx.query<{ version: number }>(`SELECT coalesce(max(version), 0) AS version FROM ${WORK_SCHEMA}.migration`);
  const applied = rows[0]?.version ?? 0;
  for (const [index, statements] of MIGRATIONS.entries()) {
    if (index < applied) continue;
    for (const statement of statements) await tx.query(statement);
    await tx.query(`INSERT INTO ${WORK_SCHEMA}.migration (version) VALUES ($1)`, [index + 1]);
  }
};
