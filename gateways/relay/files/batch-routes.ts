import type { RequestHandler, Router } from 'express';
import { epochSeconds } from '../../../domain/kernel/iso-instant.ts';
import type { BatchDocument } from '../../../projections/batches/tables.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { BatchesQuery } from '../../../schemas/openai/batch-request.ts';
import type { KeyUse } from '../authenticate.ts';
import type { Call, Caller } from '../call.ts';
import { fromDesk } from '../from-desk.ts';
import { openaiList } from '../openai-list.ts';
import { firstIssue } from '../parse.ts';
import { answerCreated, batchSeen, standingOf, type BatchWords } from './answer-batch.ts';
import { createBatch } from './create-batch.ts';
import type { FileDesk } from './file-desk.ts';
import type { FileRoutesDeps } from './file-routes-deps.ts';

type Json = Readonly<Record<string, unknown>>;

/** Spends. */
export const BATCHES = '/v1/batches';
const BATCH = '/v1/batches/{id}';
const CANCEL = '/v1/batches/{id}/cancel';

const NOWHERE = refuse('not_found', 'Files and batches are not taken here.');

const batchAnswer = (doc: Omit<BatchDocument, 'userId' | 'tokenId' | 'settled' | 'position'>): Json => ({
  id: doc.batchId,
  object: 'batch',
  endpoint: doc.endpoint,
  errors: null,
  input_file_id: doc.inputFileId,
  completion_window: doc.window,
  status: doc.state === 'submitted' ? 'validating' : doc.state === 'started' ? 'in_progress' : doc.state,
  output_file_id: doc.outputFileId,
  error_file_id: doc.errorFileId,
  created_at: epochSeconds(doc.at),
  ...(doc.endedAt === null ? {} : { [`${doc.state}_at`]: epochSeconds(doc.endedAt) }),
  request_counts: { total: doc.requests, completed: doc.succeeded, failed: doc.failed },
  metadata: null,
});

const WORDS: BatchWords = {
  told: (_call, said) => said,
  known: (_call, batch) => batchAnswer({ ...batch.submitted, ...standingOf(batch) }),
};

/** The addresses of OpenAI's batches. A batch belongs to the key that made it; anybody else's is not found. */
export const addBatchRoutes = (router: Router, deps: FileRoutesDeps): void => {
  const { files: desk, look, notThisMethod } = deps;

  const create = (files: FileDesk, call: Call, caller: Caller): Promise<void> =>
    answerCreated(deps, WORDS, files, call, () => createBatch(deps, files, call, caller));

  const list = async (files: FileDesk, call: Call, { token }: Caller): Promise<object | Refusal> => {
    const query = BatchesQuery.safeParse(call.req.query);
    if (!query.success) return firstIssue(query.error);
    const { limit, after = null } = query.data;
    const found = await files.lists.batches(token.tokenId, { form: 'openai', after, limit: limit + 1 });
    return openaiList(found.slice(0, limit).map(batchAnswer), found.length > limit);
  };

  const route = (
    name: string,
    answer: (files: FileDesk, call: Call, caller: Caller) => Promise<object | Refusal | void>,
    use?: KeyUse,
  ): RequestHandler => look(name, 'batches', fromDesk(desk, NOWHERE, answer), use);
  const onBatch = (name: string, question: 'see' | 'cancel'): RequestHandler =>
    route(name, async (files, call, { token }) => {
      const batch = await files.ownBatch(token.tokenId, String(call.req.params['id']));
      return isRefusal(batch) ? batch : batchSeen(WORDS, files, call, batch, question);
    });

  router
    .route('/v1/batches')
    .post(route(BATCHES, create, 'spend'))
    .get(route(BATCHES, list));
  router.get('/v1/batches/:id', onBatch(BATCH, 'see'));
  router.post('/v1/batches/:id/cancel', onBatch(CANCEL, 'cancel'));
  for (const [path, name, allowed] of [
    ['/v1/batches', BATCHES, 'GET or POST'],
    ['/v1/batches/:id', BATCH, 'GET'],
    ['/v1/batches/:id/cancel', CANCEL, 'POST'],
  ] as const)
    router.all(path, notThisMethod(allowed)(name));
};
