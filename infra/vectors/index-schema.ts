import { migrate, type SchemaHistory } from '../../projections/engine/migrations.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';

/** Holds what vectors are searched in. It lies beside the read models and is none: it is filled from what is kept, not from events. */
export const VECTOR_SCHEMA = 'vector_index';

/** Whoever fills shares it, and whoever removes has it alone: what is removed is not put back by somebody who had not heard of it. */
export const VECTOR_LOCK = `hashtext('oblivious ${VECTOR_SCHEMA}')`;

const HISTORY: SchemaHistory = {
  of: 'the index of vectors',
  schema: VECTOR_SCHEMA,
  table: 'migration',
  lock: `hashtext('oblivious ${VECTOR_SCHEMA} schema')`,
  steps: [
    `CREATE TABLE ${VECTOR_SCHEMA}.file (
       vector_file_id text COLLATE "C" PRIMARY KEY,
       store_id text COLLATE "C" NOT NULL,
       user_id text COLLATE "C" NOT NULL,
       file_id text COLLATE "C" NOT NULL,
       filename text NOT NULL,
       attributes jsonb NOT NULL,
       chunks integer NOT NULL,
       -- All of it is there.
       complete boolean NOT NULL
     );
     CREATE INDEX file_store ON ${VECTOR_SCHEMA}.file (store_id);
     CREATE INDEX file_file ON ${VECTOR_SCHEMA}.file (file_id);
     -- Files, stores, and files in stores, that are not put here any more.
     CREATE TABLE ${VECTOR_SCHEMA}.removed (id text COLLATE "C" PRIMARY KEY);
     CREATE TABLE ${VECTOR_SCHEMA}.dimension (dimensions integer PRIMARY KEY)`,
  ],
};

/** Vectors of one length have a table of their own, since an index is of one length. */
export const chunkTable = (dimensions: number): string => `${VECTOR_SCHEMA}.chunk_${Math.trunc(dimensions)}`;

/** Neighbours of a vector in the graph, and candidates looked at while it is built: pgvector's usual figures. */
const GRAPH = 'm = 16, ef_construction = 64';

const hasExtension = async (tx: Sql): Promise<boolean> => {
  const { rows } = await tx.query(`SELECT 1 FROM pg_extension WHERE extname = 'vector'`);
  return rows.length > 0;
};

/** Makes it, or brings it up to date. Rejects where the database has no pgvector and this role may not create it. */
export const prepareVectorIndex = async (tx: Sql): Promise<void> => {
  if (!(await hasExtension(tx))) await tx.query('CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public');
  await migrate(tx, HISTORY);
};

/** A table is made before there is anything in it, so that its graph is never built over rows that are searched meanwhile. */
export const prepareChunkTable = async (tx: Sql, dimensions: number): Promise<void> => {
  const table = chunkTable(dimensions);
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('oblivious ${table}'))`);
  await tx.query(
    `CREATE TABLE IF NOT EXISTS ${table} (
       vector_file_id text COLLATE "C" NOT NULL,
       chunk integer NOT NULL,
       store_id text COLLATE "C" NOT NULL,
       user_id text COLLATE "C" NOT NULL,
       embedding halfvec(${Math.trunc(dimensions)}) NOT NULL,
       PRIMARY KEY (vector_file_id, chunk)
     )`,
  );
  await tx.query(`CREATE INDEX IF NOT EXISTS chunk_${Math.trunc(dimensions)}_store ON ${table} (store_id)`);
  await tx.query(
    `CREATE INDEX IF NOT EXISTS chunk_${Math.trunc(dimensions)}_near ON ${table} USING hnsw (embedding halfvec_cosine_ops) WITH (${GRAPH})`,
  );
  await tx.query(`INSERT INTO ${VECTOR_SCHEMA}.dimension VALUES ($1) ON CONFLICT DO NOTHING`, [dimensions]);
};
