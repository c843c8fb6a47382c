import type { Request, RequestHandler, Router } from 'express';
import type { z } from 'zod';
import { extractText } from '../../../domain/vectors/extract-text.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { VectorFileStatus } from '../../../projections/vector-files/tables.ts';
import type { VectorBatchId } from '../../../schemas/ids.ts';
import { VectorSearch } from '../../../schemas/openai/vector-search-request.ts';
import {
  AttachFile,
  ChangeVectorStore,
  CreateFileBatch,
  CreateVectorStore,
  DescribeFile,
  VectorFilesQuery,
  VectorStoresQuery,
} from '../../../schemas/openai/vector-store-request.ts';
import type { VectorHit } from '../../ports/vector-searcher.ts';
import type { KeyUse } from '../authenticate.ts';
import type { Call, Caller } from '../call.ts';
import { embedTexts } from '../embed-texts.ts';
import { isKept } from '../files/file-desk.ts';
import { fromDesk } from '../from-desk.ts';
import { listedModel, listModels } from '../models.ts';
import { openaiList } from '../openai-list.ts';
import { firstIssue, readObject } from '../parse.ts';
import { readBody } from '../read-body.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { route } from '../route.ts';
import { batchAnswer, hitAnswer, seenFileAnswer, storeAnswer, vectorFileAnswer } from './vector-answers.ts';
import type { Attaching, SeenFile, SeenStore, VectorDesk } from './vector-desk.ts';

type Json = Readonly<Record<string, unknown>>;
type Answer = (call: Call, caller: Caller) => Promise<void>;

export interface VectorRoutesDeps extends PipelineDeps {
  readonly look: (routeName: string, door: 'files', answer: Answer, use?: KeyUse) => RequestHandler;
  readonly notThisMethod: (allowed: string) => (routeName: string) => RequestHandler;
}

const STORES = '/v1/vector_stores';
const STORE = '/v1/vector_stores/{id}';
/** Spends. */
export const VECTOR_SEARCH = '/v1/vector_stores/:id/search';
const FILES = '/v1/vector_stores/{id}/files';
const FILE = '/v1/vector_stores/{id}/files/{file}';
const CONTENT = '/v1/vector_stores/{id}/files/{file}/content';
const BATCHES = '/v1/vector_stores/{id}/file_batches';
const BATCH = '/v1/vector_stores/{id}/file_batches/{batch}';
const CANCEL = '/v1/vector_stores/{id}/file_batches/{batch}/cancel';
const BATCH_FILES = '/v1/vector_stores/{id}/file_batches/{batch}/files';

const NOWHERE = refuse('not_found', 'There are no vector stores here.');

const BODY_BYTES = 8 * 1024 * 1024;

const named = (req: Request, name: 'id' | 'file' | 'batch'): string => String(req.params[name]);

/** The addresses of OpenAI's vector stores. What they name belongs to the key that made it; anybody else's is not found. */
export const addVectorRoutes = (router: Router, deps: VectorRoutesDeps): void => {
  const { vectors: desk, files, directory, limits, look, notThisMethod } = deps;

  type Work = (vectors: VectorDesk, call: Call, caller: Caller) => Promise<Json | Refusal | null>;

  const answered = (name: string, work: Work, use?: KeyUse): RequestHandler => look(name, 'files', fromDesk(desk, NOWHERE, work), use);
  const onStore = (
    name: string,
    work: (vectors: VectorDesk, store: SeenStore, call: Call, caller: Caller) => Promise<Json | Refusal | null>,
    use?: KeyUse,
  ): RequestHandler =>
    answered(
      name,
      async (vectors, call, caller) => {
        const store = await vectors.ownStore(caller.token.tokenId, named(call.req, 'id'));
        return isRefusal(store) ? store : work(vectors, store, call, caller);
      },
      use,
    );
  const onFile = (
    name: string,
    work: (vectors: VectorDesk, file: SeenFile, call: Call) => Promise<Json | Refusal | null>,
  ): RequestHandler =>
    onStore(name, async (vectors, store, call) => {
      const file = await vectors.file(store, named(call.req, 'file'));
      return isRefusal(file) ? file : work(vectors, file, call);
    });

  /** `null`: the client went away. */
  const bodyOf = async <Schema extends z.ZodType>(call: Call, schema: Schema): Promise<z.output<Schema> | Refusal | null> => {
    const body = await readBody(call.req, Math.min(BODY_BYTES, limits.bodyBytes), 'json', call);
    if (body === null || 'refused' in body) return body;
    const read = readObject(body, [], limits);
    if ('refused' in read) return read;
    const parsed = schema.safeParse(read.value);
    return parsed.success ? parsed.data : firstIssue(parsed.error);
  };

  /** Files that are this key's and are kept here, to be put into a store. */
  const attachable = async (
    { token }: Caller,
    asked: readonly Pick<z.output<typeof AttachFile>, 'file_id' | 'attributes' | 'chunking_strategy'>[],
  ): Promise<readonly Attaching[] | Refusal> => {
    const found: Attaching[] = [];
    for (const { file_id: id, attributes, chunking_strategy: chunking } of asked) {
      const file = files === null ? refuse('not_found', 'There is no such file.') : await files.ownFile(token.tokenId, id);
      if (isRefusal(file)) return { ...file, message: `${id}: ${file.message}` };
      if (!isKept(file))
        return refuse(
          'invalid_request',
          `${id} was uploaded for "${file.purpose}". Vector stores take files that are for "assistants" or "user_data".`,
        );
      found.push({ file, attributes, chunking });
    }
    return found;
  };

  /** What a store is embedded with from its beginning to its end: what was asked for, or the usual, or the first that there is. */
  const modelFor = (vectors: VectorDesk, caller: Caller, asked: string | null): string | Refusal => {
    const usual = vectors.usualModel !== null && listedModel(directory, caller, vectors.usualModel) !== null ? vectors.usualModel : null;
    const model = asked ?? usual ?? listModels(directory, caller).find(({ kind }) => kind === 'embedding')?.id;
    if (model === undefined)
      return refuse('model_not_found', 'No model for embeddings can be used with this API key.', { param: 'embedding_model' });
    const routed = route(directory, caller, model, 'embeddings');
    return isRefusal(routed) ? { ...routed, param: 'embedding_model' } : routed.model;
  };

  const create: Work = async (vectors, call, caller) => {
    const asked = await bodyOf(call, CreateVectorStore);
    if (asked === null || isRefusal(asked)) return asked;
    const model = modelFor(vectors, caller, asked.embedding_model ?? null);
    if (isRefusal(model)) return model;
    const { file_ids: ids, chunking_strategy } = asked;
    const attaching = await attachable(
      caller,
      (ids ?? []).map((file_id) => ({ file_id, attributes: {}, chunking_strategy })),
    );
    if (isRefusal(attaching)) return attaching;
    const store = await vectors.create(caller, { name: asked.name ?? null, metadata: asked.metadata ?? {}, model });
    if (isRefusal(store)) return store;
    let count = 0;
    for (const each of new Map(attaching.map((one) => [one.file.fileId, one])).values()) {
      const attached = await vectors.attach(store, each);
      if (isRefusal(attached)) return attached;
      count++;
    }
    return storeAnswer(store, { in_progress: count, completed: 0, failed: 0, cancelled: 0, bytes: 0 });
  };

  const shown = async (vectors: VectorDesk, store: SeenStore): Promise<Json> =>
    storeAnswer(store, (await vectors.lists.counts([store.storeId])).get(store.storeId));

  const listed: Work = async (vectors, call, { token }) => {
    const query = VectorStoresQuery.safeParse(call.req.query);
    if (!query.success) return firstIssue(query.error);
    const { limit, order, after = null, before = null } = query.data;
    const found = await vectors.lists.stores(token.tokenId, { order, after, before, limit: limit + 1 });
    const page = found.slice(0, limit);
    const counts = await vectors.lists.counts(page.map(({ storeId }) => storeId));
    return openaiList(
      page.map((store) => storeAnswer(store, counts.get(store.storeId))),
      found.length > limit,
    );
  };

  const filesOf = async (
    vectors: VectorDesk,
    { storeId }: SeenStore,
    call: Call,
    batchId: VectorBatchId | null,
  ): Promise<Json | Refusal> => {
    const query = VectorFilesQuery.safeParse(call.req.query);
    if (!query.success) return firstIssue(query.error);
    const { limit, order, after = null, before = null, filter } = query.data;
    const status: VectorFileStatus | null = filter ?? null;
    const found = await vectors.lists.files(storeId, { status, batchId, order, after, before, limit: limit + 1 });
    return openaiList(found.slice(0, limit).map(vectorFileAnswer), found.length > limit);
  };

  const search = async (vectors: VectorDesk, store: SeenStore, call: Call, caller: Caller): Promise<Json | Refusal | null> => {
    const asked = await bodyOf(call, VectorSearch);
    if (asked === null || isRefusal(asked)) return asked;
    const { query, filters = null, max_num_results: limit, ranking_options: ranking } = asked;
    const embedded = await embedTexts(deps, caller, { model: store.model, texts: query }, { isCounted: true });
    if (isRefusal(embedded)) return embedded;
    const best = new Map<string, VectorHit>();
    for (const vector of embedded.vectors) {
      const hits = await vectors.search({ storeId: store.storeId, userId: store.userId, vector, filter: filters, limit });
      if (isRefusal(hits)) return hits;
      for (const hit of hits) {
        const place = `${hit.vectorFileId} ${hit.chunk}`;
        if (hit.score > (best.get(place)?.score ?? -Infinity)) best.set(place, hit);
      }
    }
    const least = ranking?.score_threshold ?? -1;
    const found = [...best.values()].filter(({ score }) => score >= least).sort((a, b) => b.score - a.score);
    const data: Json[] = [];
    for (const hit of found.slice(0, limit)) {
      const text = await vectors.textOf(hit);
      if (isRefusal(text)) return text;
      // Removed while it was looked for.
      if (text !== null) data.push(hitAnswer(hit, text));
    }
    return { object: 'vector_store.search_results.page', search_query: query, data, has_more: false, next_page: null };
  };

  router.route(STORES).post(answered(STORES, create)).get(answered(STORES, listed));
  router
    .route(`${STORES}/:id`)
    .get(onStore(STORE, (vectors, store) => shown(vectors, store)))
    .post(
      onStore(STORE, async (vectors, store, call) => {
        const asked = await bodyOf(call, ChangeVectorStore);
        if (asked === null || isRefusal(asked)) return asked;
        const metadata = asked.metadata === null ? {} : asked.metadata;
        const changed = await vectors.change(store, { name: asked.name, metadata });
        return isRefusal(changed) ? changed : shown(vectors, changed);
      }),
    )
    .delete(
      onStore(
        STORE,
        async (vectors, store) => (await vectors.delete(store)) ?? { id: store.storeId, object: 'vector_store.deleted', deleted: true },
      ),
    );
  router.post(VECTOR_SEARCH, onStore(VECTOR_SEARCH, search, 'spend'));

  router
    .route(`${STORES}/:id/files`)
    .post(
      onStore(FILES, async (vectors, store, call, caller) => {
        const asked = await bodyOf(call, AttachFile);
        if (asked === null || isRefusal(asked)) return asked;
        const attaching = await attachable(caller, [asked]);
        if (isRefusal(attaching)) return attaching;
        const attached = await vectors.attach(store, attaching[0] as Attaching);
        return isRefusal(attached) ? attached : seenFileAnswer(attached);
      }),
    )
    .get(onStore(FILES, (vectors, store, call) => filesOf(vectors, store, call, null)));
  router
    .route(`${STORES}/:id/files/:file`)
    .get(onFile(FILE, async (_vectors, file) => seenFileAnswer(file)))
    .post(
      onFile(FILE, async (vectors, file, call) => {
        const asked = await bodyOf(call, DescribeFile);
        if (asked === null || isRefusal(asked)) return asked;
        const described = await vectors.describe(file, asked.attributes);
        return isRefusal(described) ? described : seenFileAnswer(described);
      }),
    )
    .delete(
      onFile(
        FILE,
        async (vectors, file) =>
          (await vectors.remove(file)) ?? { id: file.attached.fileId, object: 'vector_store.file.deleted', deleted: true },
      ),
    );
  router.get(
    `${STORES}/:id/files/:file/content`,
    onFile(CONTENT, async (vectors, file) => {
      const bytes = await vectors.contentOf(file);
      if (isRefusal(bytes)) return bytes;
      const extracted = extractText(file.attached.filename, () => bytes.toString('utf8'));
      const data = 'text' in extracted ? [{ type: 'text', text: extracted.text }] : [];
      return { object: 'vector_store.file_content.page', data, has_more: false, next_page: null };
    }),
  );

  router.post(
    `${STORES}/:id/file_batches`,
    onStore(BATCHES, async (vectors, store, call, caller) => {
      const asked = await bodyOf(call, CreateFileBatch);
      if (asked === null || isRefusal(asked)) return asked;
      const { attributes, chunking_strategy } = asked;
      const each = asked.files ?? (asked.file_ids ?? []).map((file_id) => ({ file_id, attributes, chunking_strategy }));
      const attaching = await attachable(caller, each);
      if (isRefusal(attaching)) return attaching;
      const batch = await vectors.createBatch(store, attaching);
      return isRefusal(batch) ? batch : batchAnswer(batch, await vectors.lists.batchCounts(batch.batchId));
    }),
  );
  router.get(
    `${STORES}/:id/file_batches/:batch`,
    onStore(BATCH, async (vectors, store, call) => {
      const batch = await vectors.batch(store, named(call.req, 'batch'));
      return isRefusal(batch) ? batch : batchAnswer(batch, await vectors.lists.batchCounts(batch.batchId));
    }),
  );
  router.post(
    `${STORES}/:id/file_batches/:batch/cancel`,
    onStore(CANCEL, async (vectors, store, call) => {
      const batch = await vectors.batch(store, named(call.req, 'batch'));
      if (isRefusal(batch)) return batch;
      const cancelled = await vectors.cancelBatch(batch);
      return isRefusal(cancelled) ? cancelled : batchAnswer(cancelled, await vectors.lists.batchCounts(batch.batchId));
    }),
  );
  router.get(
    `${STORES}/:id/file_batches/:batch/files`,
    onStore(BATCH_FILES, async (vectors, store, call) => {
      const batch = await vectors.batch(store, named(call.req, 'batch'));
      return isRefusal(batch) ? batch : filesOf(vectors, store, call, batch.batchId);
    }),
  );

  for (const [path, name, allowed] of [
    [STORES, STORES, 'GET or POST'],
    [`${STORES}/:id`, STORE, 'GET, POST or DELETE'],
    [VECTOR_SEARCH, VECTOR_SEARCH, 'POST'],
    [`${STORES}/:id/files`, FILES, 'GET or POST'],
    [`${STORES}/:id/files/:file`, FILE, 'GET, POST or DELETE'],
    [`${STORES}/:id/files/:file/content`, CONTENT, 'GET'],
    [`${STORES}/:id/file_batches`, BATCHES, 'POST'],
    [`${STORES}/:id/file_batches/:batch`, BATCH, 'GET'],
    [`${STORES}/:id/file_batches/:batch/cancel`, CANCEL, 'POST'],
    [`${STORES}/:id/file_batches/:batch/files`, BATCH_FILES, 'GET'],
  ] as const)
    router.all(path, notThisMethod(allowed)(name));
};
