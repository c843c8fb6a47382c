import pgvector from 'pgvector';
import type { IndexedFile, Removal, VectorIndex } from '../../commands/ports/vector-index.ts';
import type { VectorHit, VectorQuestion, VectorSearcher } from '../../gateways/ports/vector-searcher.ts';
import { jsonParameter } from '../../projections/engine/json-parameter.ts';
import type { ReadModelDatabase, Sql } from '../../projections/ports/read-model-database.ts';
import { FileAttributes } from '../../schemas/events/vector-store.ts';
import type { FileId, VectorFileId } from '../../schemas/ids.ts';
import { filterSql } from './filter-sql.ts';
import { chunkTable, prepareChunkTable, prepareVectorIndex, VECTOR_LOCK, VECTOR_SCHEMA } from './index-schema.ts';

export interface VectorIndexOptions {
  /** A store of at most so many chunks is looked through one by one, which finds the nearest without fail. */
  readonly exactUpTo?: number;
  /** Candidates that a search in the graph looks at: more find more of the nearest, and take longer. */
  readonly efSearch?: number;
  /** Told of what went wrong; whoever asked is told only that it did. */
  readonly report?: (error: unknown) => void;
}

const EXACT_UP_TO = 5_000;
const EF_SEARCH = 200;

/** Its direction alone counts, and all numbers fit into half the bytes. */
const unitText = (vector: Float32Array): string => {
  let square = 0;
  for (const value of vector) square += value * value;
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  return pgvector.toSql(Array.from(vector, (value) => value * scale)) ?? '[]';
};

interface HitRow {
  readonly vectorFileId: VectorFileId;
  readonly fileId: FileId;
  readonly filename: string;
  readonly attributes: unknown;
  readonly chunk: number;
  readonly score: number;
}

/** Vectors in PostgreSQL with pgvector, in the database of the read models. */
export class PgVectorIndex implements VectorIndex, VectorSearcher {
  readonly #database: ReadModelDatabase;
  readonly #exactUpTo: number;
  readonly #efSearch: number;
  readonly #report: (error: unknown) => void;
  #ready: Promise<void> | null = null;
  readonly #tables = new Set<number>();

  constructor(
    database: ReadModelDatabase,
    { exactUpTo = EXACT_UP_TO, efSearch = EF_SEARCH, report = () => undefined }: VectorIndexOptions = {},
  ) {
    this.#database = database;
    this.#exactUpTo = exactUpTo;
    this.#efSearch = efSearch;
    this.#report = report;
  }

  async fill(file: IndexedFile, vectors: AsyncIterable<readonly Float32Array[]>): Promise<boolean> {
    const { vectorFileId, storeId, userId, fileId, filename, attributes } = file;
    return this.#prepared(async () => {
      const unlessRemoved = (work: (tx: Sql) => Promise<void>): Promise<boolean> =>
        this.#database.transaction(async (tx) => {
          await tx.query(`SELECT pg_advisory_xact_lock_shared(${VECTOR_LOCK})`);
          const { rows } = await tx.query(`SELECT 1 FROM ${VECTOR_SCHEMA}.removed WHERE id = ANY ($1)`, [[vectorFileId, storeId, fileId]]);
          if (rows.length > 0) return false;
          await work(tx);
          return true;
        });
      const begun = await unlessRemoved(async (tx) => {
        await tx.query(
          `INSERT INTO ${VECTOR_SCHEMA}.file VALUES ($1, $2, $3, $4, $5, $6::jsonb, 0, false) ON CONFLICT (vector_file_id) DO NOTHING`,
          [vectorFileId, storeId, userId, fileId, filename, jsonParameter(attributes)],
        );
      });
      if (!begun) return false;
      let chunks = 0;
      for await (const group of vectors) {
        const dimensions = group[0]?.length ?? 0;
        await this.#tableFor(dimensions);
        const from = chunks;
        const isWanted = await unlessRemoved(async (tx) => {
          await tx.query(
            `INSERT INTO ${chunkTable(dimensions)}
             SELECT $1, $4 + (v.n - 1)::integer, $2, $3, v.embedding::halfvec FROM unnest($5::text[]) WITH ORDINALITY AS v (embedding, n)
             ON CONFLICT (vector_file_id, chunk) DO NOTHING`,
            [vectorFileId, storeId, userId, from, group.map(unitText)],
          );
        });
        if (!isWanted) return false;
        chunks += group.length;
      }
      return unlessRemoved(async (tx) => {
        await tx.query(`UPDATE ${VECTOR_SCHEMA}.file SET chunks = $2, complete = true WHERE vector_file_id = $1`, [vectorFileId, chunks]);
      });
    });
  }

  async describe(vectorFileId: VectorFileId, attributes: FileAttributes): Promise<void> {
    if (!(await this.#isThere())) return;
    await this.#prepared(() =>
      this.#database.query(`UPDATE ${VECTOR_SCHEMA}.file SET attributes = $2::jsonb WHERE vector_file_id = $1`, [
        vectorFileId,
        jsonParameter(attributes),
      ]),
    );
  }

  async remove(removal: Removal): Promise<void> {
    if (!(await this.#isThere())) return;
    const [ids, column, own] =
      'storeId' in removal
        ? [[removal.storeId], 'store_id', []]
        : 'fileId' in removal
          ? [[removal.fileId], 'file_id', []]
          : [removal.vectorFileIds, 'vector_file_id', removal.vectorFileIds];
    await this.#prepared(() =>
      this.#database.transaction(async (tx) => {
        await tx.query(`SELECT pg_advisory_xact_lock(${VECTOR_LOCK})`);
        await tx.query(`INSERT INTO ${VECTOR_SCHEMA}.removed SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`, [[...ids]]);
        const { rows } = await tx.query<{ id: string }>(
          `DELETE FROM ${VECTOR_SCHEMA}.file WHERE ${column} = ANY ($1) RETURNING vector_file_id AS id`,
          [[...ids]],
        );
        const files = [...own, ...rows.map(({ id }) => id)];
        const { rows: tables } = await tx.query<{ dimensions: number }>(`SELECT dimensions FROM ${VECTOR_SCHEMA}.dimension`);
        for (const { dimensions } of tables)
          await tx.query(`DELETE FROM ${chunkTable(dimensions)} WHERE vector_file_id = ANY ($1)`, [files]);
      }),
    );
  }

  search(question: VectorQuestion): Promise<readonly VectorHit[]> {
    const { storeId, userId, vector, limit } = question;
    return this.#prepared(() =>
      this.#database.transaction(async (tx) => {
        const { rows } = await tx.query<{ chunks: bigint; table: string | null }>(
          `SELECT coalesce(sum(chunks), 0)::bigint AS chunks, to_regclass($3)::text AS table FROM ${VECTOR_SCHEMA}.file WHERE store_id = $1 AND user_id = $2`,
          [storeId, userId, chunkTable(vector.length)],
        );
        const [{ chunks, table } = { chunks: 0n, table: null }] = rows;
        if (table === null) return [];
        if (Number(chunks) <= this.#exactUpTo) return this.#nearest(tx, question, false);
        await tx.query(`SELECT set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'strict_order', true)`, [
          String(this.#efSearch),
        ]);
        const found = await this.#nearest(tx, question, true);
        // The graph gives up when it has looked at much of which little was asked for.
        return found.length >= limit ? found : this.#nearest(tx, question, false);
      }),
    );
  }

  async #nearest(
    tx: Sql,
    { storeId, userId, vector, filter, limit }: VectorQuestion,
    throughGraph: boolean,
  ): Promise<readonly VectorHit[]> {
    const values: unknown[] = [storeId, userId, unitText(vector), limit];
    const wanted = filter === null ? 'f.complete' : `f.complete AND ${filterSql(filter, 'f.attributes', values)}`;
    // What is added keeps the graph out of it: only an order by the distance itself is looked up there.
    const order = throughGraph ? 'c.embedding <=> $3::halfvec' : '(c.embedding <=> $3::halfvec) + 0';
    const { rows } = await tx.query<HitRow>(
      `SELECT near.vector_file_id AS "vectorFileId", f.file_id AS "fileId", f.filename, f.attributes, near.chunk, 1 - near.distance AS score
       FROM (
         SELECT c.vector_file_id, c.chunk, c.embedding <=> $3::halfvec AS distance FROM ${chunkTable(vector.length)} c
         WHERE c.store_id = $1 AND c.user_id = $2
           AND EXISTS (SELECT 1 FROM ${VECTOR_SCHEMA}.file f WHERE f.vector_file_id = c.vector_file_id AND ${wanted})
         ORDER BY ${order} LIMIT $4
       ) near JOIN ${VECTOR_SCHEMA}.file f USING (vector_file_id)
       ORDER BY near.distance, f.file_id, near.chunk`,
      values,
    );
    return rows
      .filter(({ score }) => Number.isFinite(score))
      .map(({ attributes, ...hit }) => ({ ...hit, attributes: FileAttributes.parse(attributes) }));
  }

  /** Where nothing was ever indexed nothing has to be made, and the database need not have pgvector. */
  async #isThere(): Promise<boolean> {
    const { rows } = await this.#database.query<{ there: boolean }>(`SELECT to_regclass('${VECTOR_SCHEMA}.removed') IS NOT NULL AS there`);
    return rows[0]?.there === true;
  }

  async #tableFor(dimensions: number): Promise<void> {
    if (this.#tables.has(dimensions)) return;
    await this.#database.transaction((tx) => prepareChunkTable(tx, dimensions));
    this.#tables.add(dimensions);
  }

  /** What was made may be gone at any time; then the next one makes it anew. */
  async #prepared<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      await (this.#ready ??= this.#database.transaction(prepareVectorIndex));
      return await work();
    } catch (error) {
      this.#ready = null;
      this.#tables.clear();
      this.#report(error);
      throw error;
    }
  }
}
