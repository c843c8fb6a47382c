import { expect } from 'chai';
import OpenAI, { toFile } from 'openai';
import type { ReadModels } from '../../../../infra/read-models/read-models.ts';
import { VECTOR_SCHEMA } from '../../../../infra/vectors/index-schema.ts';
import { refuse } from '../../../../schemas/errors.ts';
import type { TokenId } from '../../../../schemas/ids.ts';
import { emptyReadModels } from '../../../support/read-models.ts';
import { KEY, TOKEN_ID } from '../relay-harness.ts';
import { startVectorRelay, type VectorRig } from './vector-rig.ts';

const LIGHTHOUSE = '# The lighthouse\n\nA lighthouse is a tower that shows a light to ships at sea.\n';
const BREAD = 'Bread is made of flour, water, salt and yeast, and is baked in an oven.\n';
const CHESS = 'Chess is played on a board of sixty-four squares by two players.\n';

describe('vector stores, by the official client of OpenAI', function () {
  this.timeout(60_000);
  let models: ReadModels;
  let rig: VectorRig;
  let client: OpenAI;

  before(async () => {
    models = await emptyReadModels();
  });
  after(() => models.close());
  beforeEach(async () => {
    models = await emptyReadModels();
    await models.database.query(`DROP SCHEMA IF EXISTS ${VECTOR_SCHEMA} CASCADE`);
    rig = await startVectorRelay({ models });
    client = new OpenAI({ apiKey: KEY, baseURL: rig.relay.baseUrl, maxRetries: 0 });
  });
  afterEach(() => rig.close());

  const upload = async (name: string, text: string | Buffer): Promise<string> =>
    (await client.files.create({ file: await toFile(Buffer.from(text), name), purpose: 'assistants' })).id;
  const store = async (...files: readonly string[]): Promise<string> =>
    (await client.vectorStores.create({ name: 's', file_ids: [...files] })).id;
  const found = async (id: string, query: string, more: object = {}): Promise<readonly string[]> =>
    (await client.vectorStores.search(id, { query, ...more })).data.map(({ filename }) => filename);
  const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
    const error: unknown = await work.then(
      () => 'no error',
      (cause: unknown) => cause,
    );
    return error instanceof OpenAI.APIError ? [error.status, error.code] : error;
  };

  it('creates, changes, lists and deletes stores, each with the model that it is embedded with', async () => {
    const made = await client.vectorStores.create({ name: 'notes', metadata: { team: 'a' } });
    expect(made).to.include({
      object: 'vector_store',
      name: 'notes',
      status: 'completed',
      usage_bytes: 0,
      embedding_model: 'sandbox-embedding',
    });
    const changed = await client.vectorStores.update(made.id, { name: 'papers', metadata: { team: 'b' } });
    expect(changed).to.deep.include({ id: made.id, name: 'papers', metadata: { team: 'b' } });
    expect(await client.vectorStores.retrieve(made.id)).to.deep.equal(changed);
    const others = [await store(), await store()];
    await rig.project();
    const listed: string[] = [];
    for await (const each of client.vectorStores.list({ limit: 2 })) listed.push(each.id);
    expect(listed).to.deep.equal([...others.reverse(), made.id]);
    expect(await client.vectorStores.delete(made.id)).to.deep.equal({ id: made.id, object: 'vector_store.deleted', deleted: true });
    expect(await codeOf(client.vectorStores.retrieve(made.id))).to.deep.equal([404, 'not_found']);
    await rig.project();
    expect((await client.vectorStores.list()).data.map(({ id }) => id)).to.deep.equal(others);
  });

  it('indexes files at the cost of their owner and finds what is near', async () => {
    const lighthouse = await upload('lighthouse.md', LIGHTHOUSE);
    const id = await store(lighthouse, await upload('bread.txt', BREAD));
    expect((await client.vectorStores.files.retrieve(lighthouse, { vector_store_id: id })).status).to.equal('in_progress');
    expect(await rig.work()).to.deep.equal([]);
    await rig.project();

    const file = await client.vectorStores.files.retrieve(lighthouse, { vector_store_id: id });
    expect(file).to.deep.include({
      id: lighthouse,
      object: 'vector_store.file',
      status: 'completed',
      last_error: null,
      vector_store_id: id,
    });
    expect(file.usage_bytes).to.be.greaterThan(0);
    const seen = await client.vectorStores.retrieve(id);
    expect(seen.file_counts).to.deep.equal({ in_progress: 0, completed: 2, failed: 0, cancelled: 0, total: 2 });
    const charges = rig.events('QuotaDebited');
    expect(charges).to.have.length(2);
    expect(charges.every(({ model, call }) => model === 'sandbox-embedding' && call.endpoint === 'embeddings')).to.equal(true);

    const answer = await client.vectorStores.search(id, { query: 'a tower with a light for ships', max_num_results: 1 });
    expect(answer.data).to.have.length(1);
    expect(answer.data[0]).to.deep.include({ file_id: lighthouse, filename: 'lighthouse.md', attributes: {} });
    expect(answer.data[0]?.content).to.deep.equal([{ type: 'text', text: LIGHTHOUSE.trim() }]);
    expect(answer.data[0]?.score).to.be.greaterThan(0.2).and.at.most(1);
    expect(await found(id, 'flour and yeast in the oven')).to.deep.equal(['bread.txt', 'lighthouse.md']);
    expect(await found(id, 'flour and yeast in the oven', { ranking_options: { score_threshold: 0.2 } })).to.deep.equal(['bread.txt']);
    expect(rig.events('QuotaDebited')).to.have.length(5);
    const several = await client.vectorStores.search(id, { query: ['yeast and flour', 'ships at sea'], max_num_results: 2 });
    expect(several.data.map(({ filename }) => filename)).to.have.members(['bread.txt', 'lighthouse.md']);

    const content = await client.vectorStores.files.content(lighthouse, { vector_store_id: id });
    expect(content.data).to.deep.equal([{ type: 'text', text: LIGHTHOUSE }]);
    // Nothing of what is in a file is in the log.
    expect(
      JSON.stringify(rig.ledger.log.events, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.to.match(/tower|flour/);
  });

  it('asks nothing of an upstream that there is no money for, when it searches and when it indexes', async () => {
    const id = await store(await upload('bread.txt', BREAD));
    await rig.work();
    await rig.ledger.keeper.stop();
    const poor = await startVectorRelay({ models: await emptyReadModels(), credit: 0 });
    try {
      const other = new OpenAI({ apiKey: KEY, baseURL: poor.relay.baseUrl, maxRetries: 0 });
      const file = await other.files.create({ file: await toFile(Buffer.from(BREAD), 'b.txt'), purpose: 'assistants' });
      const empty = await other.vectorStores.create({ file_ids: [file.id] });
      expect(await codeOf(other.vectorStores.search(empty.id, { query: 'x' }))).to.deep.equal([429, 'insufficient_quota']);
      expect(await poor.work()).to.deep.equal([]);
      const failed = await other.vectorStores.files.retrieve(file.id, { vector_store_id: empty.id });
      expect(failed.status).to.equal('failed');
      expect(failed.last_error?.message).to.match(/^insufficient_quota/);
      expect(poor.events('QuotaReserved')).to.have.length(0);
      expect(id).to.match(/^vs_/);
    } finally {
      await poor.close();
    }
  });

  it('charges vectors behind their keeping, and nobody for what is not kept; and asks for nothing with a key that may not', async () => {
    const { embedder, directory } = rig.relay;
    const question = { tokenId: TOKEN_ID, model: 'sandbox-embedding', texts: ['one', 'two'] };
    let chargedThen = -1;
    const embedded = await embedder.embed({
      ...question,
      keep: async ({ vectors, requestId }) => {
        chargedThen = rig.events('QuotaDebited').length;
        expect(vectors.map(({ length }) => length)).to.deep.equal([256, 256]);
        expect(rig.events('QuotaReserved').map((held) => held.requestId)).to.deep.equal([requestId]);
        return null;
      },
    });
    expect(embedded).to.have.property('requestId', rig.events('QuotaDebited')[0]?.requestId);
    expect(chargedThen).to.equal(0);

    const refused = await embedder.embed({ ...question, keep: async () => refuse('conflict') });
    expect(refused).to.include({ refused: 'conflict' });
    const thrown = await embedder.embed({ ...question, keep: () => Promise.reject(new Error('the store is away')) });
    expect(thrown).to.include({ refused: 'internal' });
    expect(rig.events('QuotaReleased').map(({ reconcile }) => reconcile)).to.deep.equal([true, true]);
    expect(rig.events('QuotaDebited')).to.have.length(1);

    directory.token = { ...directory.token, disabled: true };
    expect(await embedder.embed(question)).to.include({ refused: 'key_disabled' });
    directory.token = { ...directory.token, disabled: false, restrictions: { ...directory.token.restrictions, endpoints: ['files'] } };
    expect(await embedder.embed(question)).to.include({ refused: 'endpoint_not_allowed' });
    expect(rig.events('QuotaReserved')).to.have.length(3);
  });

  it('filters by attributes, which may change', async () => {
    const id = await store();
    const files = { a: await upload('a.txt', LIGHTHOUSE), b: await upload('b.txt', BREAD), c: await upload('c.txt', CHESS) };
    const put = (file_id: string, attributes: Record<string, string | number | boolean>) =>
      client.vectorStores.files.create(id, { file_id, attributes });
    await put(files.a, { year: 2020, kind: 'sea', open: true });
    await put(files.b, { year: 2021, kind: 'food' });
    await put(files.c, { year: 2022, kind: 'game', open: false });
    await rig.work();
    const by = async (filters: object): Promise<readonly string[]> => [...(await found(id, 'what is it', { filters }))].sort();
    expect(await by({ type: 'eq', key: 'kind', value: 'food' })).to.deep.equal(['b.txt']);
    expect(await by({ type: 'ne', key: 'kind', value: 'food' })).to.deep.equal(['a.txt', 'c.txt']);
    expect(await by({ type: 'ne', key: 'open', value: true })).to.deep.equal(['b.txt', 'c.txt']);
    expect(await by({ type: 'gte', key: 'year', value: 2021 })).to.deep.equal(['b.txt', 'c.txt']);
    expect(await by({ type: 'lt', key: 'kind', value: 'game' })).to.deep.equal(['b.txt']);
    expect(await by({ type: 'gt', key: 'kind', value: 3 })).to.deep.equal([]);
    expect(await by({ type: 'in', key: 'year', value: [2020, 2022] })).to.deep.equal(['a.txt', 'c.txt']);
    expect(await by({ type: 'nin', key: 'open', value: [true] })).to.deep.equal(['b.txt', 'c.txt']);
    const both = {
      type: 'and',
      filters: [
        { type: 'gt', key: 'year', value: 2020 },
        { type: 'or', filters: [{ type: 'eq', key: 'open', value: false }] },
      ],
    };
    expect(await by(both)).to.deep.equal(['c.txt']);
    expect(await by({ type: 'eq', key: `x' OR true --`, value: `' OR 1=1` })).to.deep.equal([]);
    await client.vectorStores.files.update(files.b, { vector_store_id: id, attributes: { year: 1999 } });
    expect(await by({ type: 'lt', key: 'year', value: 2000 })).to.deep.equal(['b.txt']);
    expect(await codeOf(by({ type: 'like', key: 'a', value: 'b' }))).to.deep.equal([400, 'invalid_request']);
  });

  it('finds nothing any more of what is removed or deleted, at once and after everything is worked on again', async () => {
    const files = [await upload('a.txt', LIGHTHOUSE), await upload('b.txt', BREAD), await upload('c.txt', CHESS)] as const;
    const id = await store(...files);
    const other = await store(files[0]);
    await rig.work();
    expect(await found(id, 'x')).to.have.length(3);
    await client.vectorStores.files.delete(files[1], { vector_store_id: id });
    expect(await found(id, 'x')).to.have.members(['a.txt', 'c.txt']);
    await client.files.delete(files[0]);
    expect(await found(id, 'x')).to.deep.equal(['c.txt']);
    expect(await found(other, 'x')).to.deep.equal([]);
    await rig.work();
    await rig.workAgain();
    await rig.project();
    await rig.vectors.refill(new AbortController().signal);
    expect(await found(id, 'x')).to.deep.equal(['c.txt']);
    expect((await client.vectorStores.files.list(id)).data.map((each) => each.id)).to.deep.equal([files[2]]);
    await client.vectorStores.delete(id);
    await rig.work();
    await client.vectorStores.delete(other);
    await client.files.delete(files[1]);
    await client.files.delete(files[2]);
    await rig.work();
    expect([...rig.blobs.held.keys()]).to.deep.equal([]);
    const { rows } = await models.database.query<{ chunks: bigint }>(`SELECT count(*) AS chunks FROM ${VECTOR_SCHEMA}.chunk_256`);
    expect(rows[0]?.chunks).to.equal(0n);
  });

  it('says which files it cannot index, and why', async () => {
    const id = await store();
    const [picture, broken, empty] = [
      await upload('photo.png', Buffer.from([1, 2, 3])),
      await upload('broken.txt', Buffer.from([0xff, 0xfe, 0xfd])),
      await upload('empty.html', '<html><script>let a</script></html>'),
    ];
    for (const file_id of [picture, broken, empty]) await client.vectorStores.files.create(id, { file_id });
    await rig.work();
    await rig.project();
    const errors = (await client.vectorStores.files.list(id, { filter: 'failed', order: 'asc' })).data.map(
      ({ last_error: error }) => error?.code,
    );
    expect(errors).to.deep.equal(['unsupported_file', 'invalid_file', 'invalid_file']);
    expect(rig.events('QuotaReserved')).to.have.length(0);
  });

  it('keeps stores and files of other keys apart', async () => {
    const file = await upload('a.txt', LIGHTHOUSE);
    const id = await store(file);
    await rig.work();
    rig.relay.directory.token = { ...rig.relay.directory.token, tokenId: 'key_2' as TokenId };
    const own = await store();
    const asked: readonly (() => Promise<unknown>)[] = [
      () => client.vectorStores.retrieve(id),
      () => client.vectorStores.update(id, { name: 'mine' }),
      () => client.vectorStores.delete(id),
      () => client.vectorStores.search(id, { query: 'x' }),
      () => client.vectorStores.files.retrieve(file, { vector_store_id: id }),
      () => client.vectorStores.files.list(id),
      () => client.vectorStores.files.create(own, { file_id: file }),
      () => client.vectorStores.create({ file_ids: [file] }),
      () => client.vectorStores.fileBatches.create(own, { file_ids: [file] }),
    ];
    for (const ask of asked) expect(await codeOf(ask())).to.deep.equal([404, 'not_found']);
    expect(await found(own, 'tower')).to.deep.equal([]);
  });

  it('takes files in batches, and calls off what is not there yet', async () => {
    const id = await store();
    const files = [await upload('a.txt', LIGHTHOUSE), await upload('b.txt', BREAD), await upload('c.png', CHESS)];
    const batch = await client.vectorStores.fileBatches.create(id, { file_ids: files, attributes: { from: 'batch' } });
    expect(batch).to.deep.include({ object: 'vector_store.files_batch', status: 'in_progress', vector_store_id: id });
    expect(batch.file_counts).to.deep.equal({ in_progress: 3, completed: 0, failed: 0, cancelled: 0, total: 3 });
    await rig.work();
    await rig.project();
    const done = await client.vectorStores.fileBatches.retrieve(batch.id, { vector_store_id: id });
    expect(done.status).to.equal('completed');
    expect(done.file_counts).to.deep.equal({ in_progress: 0, completed: 2, failed: 1, cancelled: 0, total: 3 });
    const listed = await client.vectorStores.fileBatches.listFiles(batch.id, { vector_store_id: id, filter: 'completed', order: 'asc' });
    expect(listed.data.map((each) => each.id)).to.deep.equal(files.slice(0, 2));

    const more = [...files.slice(0, 1), await upload('d.txt', CHESS)];
    const second = await client.vectorStores.fileBatches.create(id, { files: more.map((file_id) => ({ file_id, attributes: { n: 2 } })) });
    expect(second.file_counts).to.include({ in_progress: 1, completed: 1, total: 2 });
    const cancelled = await client.vectorStores.fileBatches.cancel(second.id, { vector_store_id: id });
    expect(cancelled.status).to.equal('cancelled');
    expect(cancelled.file_counts).to.include({ in_progress: 0, completed: 1, cancelled: 1 });
    await rig.work();
    expect(await found(id, 'x')).to.have.members(['a.txt', 'b.txt']);
    expect((await client.vectorStores.files.retrieve(more[1] as string, { vector_store_id: id })).status).to.equal('cancelled');
  });

  it('fills an index that was lost from what is kept, and pays for nothing again', async () => {
    const id = await store(await upload('a.txt', `${LIGHTHOUSE}${'word '.repeat(6_000)}`), await upload('b.txt', BREAD));
    await rig.work();
    await rig.project();
    const rows = async (): Promise<unknown> => {
      const { rows: chunks } = await models.database.query(
        `SELECT c.vector_file_id, c.chunk, c.store_id, c.user_id, c.embedding::text, f.attributes, f.filename, f.chunks, f.complete
         FROM ${VECTOR_SCHEMA}.chunk_256 c JOIN ${VECTOR_SCHEMA}.file f USING (vector_file_id) ORDER BY 1, 2`,
      );
      return chunks;
    };
    const live = await rows();
    expect(live).to.have.length.greaterThan(20);
    const charged = rig.events('QuotaDebited').length;
    await models.database.query(`DROP SCHEMA ${VECTOR_SCHEMA} CASCADE`);
    expect(await codeOf(found(id, 'yeast'))).to.deep.equal([503, 'read_model_behind']);
    expect(await rig.vectors.refill(new AbortController().signal)).to.equal(2);
    expect(await rows()).to.deep.equal(live);
    expect(await rig.vectors.refill(new AbortController().signal)).to.equal(0);
    expect((await found(id, 'yeast'))[0]).to.equal('b.txt');
    expect(rig.events('QuotaDebited')).to.have.length(charged + 2);
    // What has happened already changes nothing when it is heard of again.
    await rig.workAgain();
    expect(await rows()).to.deep.equal(live);
    expect(rig.events('QuotaDebited')).to.have.length(charged + 2);
  });
});
