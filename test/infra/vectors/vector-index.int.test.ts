import { expect } from 'chai';
import fc from 'fast-check';
import type { IndexedFile } from '../../../commands/ports/vector-index.ts';
import { chunkTable, VECTOR_SCHEMA } from '../../../infra/vectors/index-schema.ts';
import { PgVectorIndex } from '../../../infra/vectors/vector-index.ts';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import type { ReadModelDatabase, Sql } from '../../../projections/ports/read-model-database.ts';
import { FileId, UserId, VectorFileId, VectorStoreId } from '../../../schemas/ids.ts';
import type { FileAttributes } from '../../../schemas/events/vector-store.ts';
import type { AttributeFilter } from '../../../schemas/openai/vector-search-request.ts';
import { checkAsync, PROPERTY_TIMEOUT, SEED } from '../../ledger/seed.ts';
import { VECTOR_DATABASES } from '../../support/read-models.ts';

const store = (n: number): VectorStoreId => VectorStoreId.parse(`vs_${n}`);
const user = (n: number): UserId => UserId.parse(`usr_${n}`);
const file = (n: number, of = 1, attributes: FileAttributes = {}): IndexedFile => ({
  ...{ vectorFileId: VectorFileId.parse(`vsf_${of}-${n}`), fileId: FileId.parse(`file-${of}-${n}`), filename: `${n}.txt`, attributes },
  ...{ storeId: store(of), userId: user(of) },
});

async function* inGroups(vectors: readonly Float32Array[], size = 250): AsyncGenerator<readonly Float32Array[]> {
  for (let at = 0; at < vectors.length; at += size) yield vectors.slice(at, at + size);
}

/** Numbers in [0, 1), the same for the same seed. */
const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
};

/** A database that remembers what it was asked. */
const listening = (database: ReadModelDatabase, asked: { text: string; values: readonly unknown[] }[]): ReadModelDatabase => {
  const on = (sql: Sql): Sql => ({
    query: (text, values = []) => {
      asked.push({ text, values });
      return sql.query(text, values);
    },
  });
  return { ...on(database), transaction: (work, options) => database.transaction((tx) => work(on(tx)), options), lead: database.lead };
};

const fits = (filter: AttributeFilter, said: FileAttributes): boolean => {
  switch (filter.type) {
    case 'and':
      return filter.filters.every((each) => fits(each, said));
    case 'or':
      return filter.filters.some((each) => fits(each, said));
    case 'eq':
      return said[filter.key] === filter.value;
    case 'ne':
      return said[filter.key] !== filter.value;
    case 'in':
    case 'nin':
      return filter.value.some((each) => each === said[filter.key]) === (filter.type === 'in');
    default: {
      const own = said[filter.key];
      const { value } = filter;
      if (typeof own !== typeof value || own === undefined) return false;
      const order = own < value ? -1 : own > value ? 1 : 0;
      return filter.type === 'gt' ? order > 0 : filter.type === 'gte' ? order >= 0 : filter.type === 'lt' ? order < 0 : order <= 0;
    }
  }
};

const KEY_NAMES = fc.constantFrom('a', 'b', `c' "d\\`);
const VALUES = fc.oneof(fc.constantFrom('x', 'y', 'Z', '10', ''), fc.constantFrom(-1, 0, 0.5, 10, 1e21), fc.boolean());
const ORDERED = fc.oneof(fc.constantFrom('x', 'y', 'Z', '10', ''), fc.constantFrom(-1, 0, 0.5, 10));
const FILTERS = fc.letrec<{ filter: AttributeFilter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fc.record({ type: fc.constantFrom('eq', 'ne'), key: KEY_NAMES, value: VALUES }),
    fc.record({ type: fc.constantFrom('gt', 'gte', 'lt', 'lte'), key: KEY_NAMES, value: ORDERED }),
    fc.record({ type: fc.constantFrom('in', 'nin'), key: KEY_NAMES, value: fc.array(VALUES, { minLength: 1, maxLength: 3 }) }),
    fc.record({ type: fc.constantFrom('and', 'or'), filters: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
  ),
})).filter;
const ATTRIBUTES: fc.Arbitrary<FileAttributes> = fc.dictionary(KEY_NAMES, VALUES, { noNullPrototype: true, maxKeys: 3 });

for (const { name, open } of VECTOR_DATABASES) {
  describe(`the index of vectors, on ${name}`, function () {
    this.timeout(120_000);
    let models: ReadModels;
    let database: ReadModelDatabase;
    const asked: { text: string; values: readonly unknown[] }[] = [];
    before(async () => {
      models = await open();
      database = listening(models.database, asked);
    });
    beforeEach(async () => {
      await models.database.query(`DROP SCHEMA IF EXISTS ${VECTOR_SCHEMA} CASCADE`);
      asked.length = 0;
    });
    after(() => models.close());

    // Embedded it is the same engine, and slower.
    if (name === 'PostgreSQL')
      it('finds in the graph what looking through everything finds: at least 95 of 100, of clusters', async () => {
        const random = randomOf(SEED);
        const dimensions = 48;
        const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
        const centres = Array.from({ length: 40 }, () => Float32Array.from({ length: dimensions }, normal));
        const near = (): Float32Array => {
          const centre = centres[Math.floor(random() * centres.length)] as Float32Array;
          return centre.map((value) => value + 0.4 * normal());
        };
        const graph = new PgVectorIndex(database, { exactUpTo: 0 });
        const exact = new PgVectorIndex(models.database, { exactUpTo: Infinity });
        const many = 3_000;
        for (const half of [0, 1]) await graph.fill(file(half), inGroups(Array.from({ length: many / 2 }, near)));
        await graph.fill(file(1, 2), inGroups(Array.from({ length: 300 }, near)));
        await models.database.query(`ANALYZE ${chunkTable(dimensions)}`);
        let found = 0;
        const queries = 30;
        for (let query = 0; query < queries; query++) {
          const question = { storeId: store(1), userId: user(1), vector: near(), filter: null, limit: 10 };
          const places = (hits: readonly { vectorFileId: string; chunk: number }[]): readonly string[] =>
            hits.map(({ vectorFileId, chunk }) => `${vectorFileId} ${chunk}`);
          const nearest = new Set(places(await exact.search(question)));
          expect(nearest.size).to.equal(10);
          found += places(await graph.search(question)).filter((place) => nearest.has(place)).length;
        }
        expect(found / (queries * 10), `recall with FC_SEED=${SEED}`).to.be.at.least(0.95);
        // It was the graph that was asked, and not every row.
        const last = asked.findLast(({ text }) => text.includes('ORDER BY c.embedding'));
        const { rows } = await models.database.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${last?.text ?? ''}`, last?.values);
        expect(rows.map((row) => row['QUERY PLAN']).join('\n')).to.include('_near');
      });

    it('shows nobody what is another’s, and of his own what the filter says, whatever it says', async function () {
      this.timeout(PROPERTY_TIMEOUT * 2);
      const indexes = [new PgVectorIndex(models.database), new PgVectorIndex(models.database, { exactUpTo: 0 })];
      let round = 0;
      await checkAsync(
        fc.asyncProperty(fc.array(ATTRIBUTES, { minLength: 1, maxLength: 6 }), FILTERS, async (said, filter) => {
          round++;
          const [mine, theirs] = [round * 2, round * 2 + 1];
          const vector = Float32Array.of(1, 2, 3);
          for (const [n, attributes] of said.entries())
            for (const of of [mine, theirs]) expect(await indexes[0]?.fill(file(n, of, attributes), inGroups([vector]))).to.equal(true);
          const wanted = said.flatMap((attributes, n) => (fits(filter, attributes) ? [file(n, mine).fileId] : [])).sort();
          for (const index of indexes) {
            const question = { storeId: store(mine), vector, filter, limit: 50 };
            expect((await index.search({ ...question, userId: user(mine) })).map(({ fileId }) => fileId).sort()).to.deep.equal(wanted);
            expect(await index.search({ ...question, userId: user(theirs) })).to.deep.equal([]);
          }
        }),
        25,
      );
    });

    it('is the same however often it is filled, and takes nothing back that was removed', async () => {
      const index = new PgVectorIndex(models.database);
      const another = new PgVectorIndex(models.database);
      const vectors = Array.from({ length: 7 }, (_, n) => Float32Array.of(n, 1));
      const rows = async (): Promise<unknown> =>
        (await models.database.query(`SELECT c.*, c.embedding::text FROM ${chunkTable(2)} c ORDER BY 1, 2`)).rows;
      expect(await index.fill(file(1), inGroups(vectors, 3))).to.equal(true);
      const once = await rows();
      expect(once).to.have.length(7);
      await Promise.all([another.fill(file(1), inGroups(vectors, 2)), index.fill(file(1), inGroups(vectors, 4))]);
      expect(await rows()).to.deep.equal(once);

      // Removed while it is put there.
      async function* removedMeanwhile(): AsyncGenerator<readonly Float32Array[]> {
        yield vectors.slice(0, 3);
        await another.remove({ vectorFileIds: [file(2).vectorFileId] });
        yield vectors.slice(3);
      }
      expect(await index.fill(file(2), removedMeanwhile())).to.equal(false);
      expect(await rows()).to.deep.equal(once);
      await index.remove({ fileId: file(1).fileId });
      expect(await another.fill(file(1), inGroups(vectors))).to.equal(false);
      await index.remove({ storeId: store(3) });
      expect(await another.fill(file(1, 3), inGroups(vectors))).to.equal(false);
      expect(await rows()).to.deep.equal([]);
      const question = { storeId: store(1), userId: user(1), vector: Float32Array.of(1, 1), filter: null, limit: 10 };
      expect(await index.search(question)).to.deep.equal([]);
    });

    it('takes attributes and names whose texts no database holds, and finds them by the same', async () => {
      const index = new PgVectorIndex(models.database);
      const attributes = { 'a\0': 'x\ud800' };
      expect(await index.fill({ ...file(1, 1, attributes), filename: '\0.txt' }, inGroups([Float32Array.of(1, 1)]))).to.equal(true);
      await index.describe(file(1).vectorFileId, attributes);
      const filters: readonly AttributeFilter[] = [
        { type: 'eq', key: 'a\0', value: 'x\ud800' },
        { type: 'in', key: 'a\0', value: ['\0', 'x\ud800'] },
        { type: 'gt', key: 'a\0', value: '\0' },
      ];
      for (const filter of filters) {
        const hits = await index.search({ storeId: store(1), userId: user(1), vector: Float32Array.of(1, 1), filter, limit: 10 });
        expect(hits, filter.type).to.have.length(filter.type === 'gt' ? 0 : 1);
      }
    });

    it('needs nothing of the database before there is something to index, and tells why it cannot', async () => {
      const index = new PgVectorIndex(models.database);
      await index.remove({ storeId: store(1) });
      await index.describe(file(1).vectorFileId, { a: 1 });
      const { rows } = await models.database.query(`SELECT 1 FROM pg_namespace WHERE nspname = '${VECTOR_SCHEMA}'`);
      expect(rows).to.deep.equal([]);
      const told: unknown[] = [];
      const refuse = { transaction: () => Promise.reject(new Error('no pgvector')) };
      const broken = new PgVectorIndex({ ...models.database, ...refuse }, { report: (error) => told.push(error) });
      const question = { storeId: store(1), userId: user(1), vector: Float32Array.of(1), filter: null, limit: 1 };
      const failed: unknown = await broken.search(question).catch((error: unknown) => error);
      expect(failed).to.be.instanceOf(Error);
      expect(told).to.deep.equal([failed]);
    });

    it('has vectors of several lengths beside each other, and what has no direction is not found', async () => {
      const index = new PgVectorIndex(models.database);
      await index.fill(file(1), inGroups([Float32Array.of(1, 0), Float32Array.of(0, 0), Float32Array.of(1e9, 1)]));
      await index.fill(file(2), inGroups([new Float32Array(3_072).fill(0.5)]));
      const ask = (vector: Float32Array) => index.search({ storeId: store(1), userId: user(1), vector, filter: null, limit: 10 });
      expect((await ask(Float32Array.of(3, 0))).map(({ chunk, score }) => [chunk, Math.round(score * 1_000)])).to.deep.equal([
        [0, 1_000],
        [2, 1_000],
      ]);
      expect((await ask(new Float32Array(3_072).fill(2))).map(({ fileId }) => fileId)).to.deep.equal([file(2).fileId]);
      expect(await ask(Float32Array.of(1, 2, 3, 4))).to.deep.equal([]);
    });
  });
}
