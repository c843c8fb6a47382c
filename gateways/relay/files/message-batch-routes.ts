import type { RequestHandler, Router } from 'express';
import type { BatchDocument } from '../../../projections/batches/tables.ts';
import { MessageBatchesQuery, MessageBatchId } from '../../../schemas/anthropic/batches-request.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { BatchId } from '../../../schemas/ids.ts';
import type { KeyUse } from '../authenticate.ts';
import type { Call, Caller } from '../call.ts';
import { fromDesk } from '../from-desk.ts';
import { firstIssue } from '../parse.ts';
import { placeRequest } from '../upstream-place.ts';
import { answerCreated, batchSeen, settleSoon, standingOf, type BatchWords } from './answer-batch.ts';
import { createMessageBatch } from './create-message-batch.ts';
import { messageBatchId, type FileDesk, type SeenBatch } from './file-desk.ts';
import type { FileRoutesDeps } from './file-routes-deps.ts';
import { passContent } from './pass-content.ts';

type Json = Readonly<Record<string, unknown>>;

/** Spends. */
export const MESSAGE_BATCHES = '/v1/messages/batches';
const BATCH = `${MESSAGE_BATCHES}/{id}`;
const CANCEL = `${BATCH}/cancel`;
const RESULTS = `${BATCH}/results`;

const NOWHERE = refuse('not_found', 'Batches are not taken here.');
const NO_BATCH = refuse('not_found', 'There is no such batch.');

/** How long Anthropic works on a batch. */
const WINDOW_MS = 86_400_000;

/** Ours, for an id as Anthropic’s clients know it. */
const ownId = (id: string): string => (MessageBatchId.safeParse(id).success ? id.slice('msg'.length) : '');

/** Where a client that asked here finds the results. */
const resultsUrl = ({ req }: Call, id: string): string => `${req.protocol}://${req.headers.host ?? ''}${MESSAGE_BATCHES}/${id}/results`;

const COUNTS = { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 } as const;

/** A batch as it is known here, for lists and for where its upstream says nothing. */
const known = (
  call: Call,
  doc: Pick<BatchDocument, 'batchId' | 'state' | 'requests' | 'succeeded' | 'failed' | 'at' | 'endedAt'>,
): Json => {
  const id = messageBatchId(doc.batchId);
  const hasEnded = doc.endedAt !== null;
  return {
    id,
    type: 'message_batch',
    processing_status: hasEnded ? 'ended' : 'in_progress',
    request_counts: hasEnded ? { ...COUNTS, succeeded: doc.succeeded, errored: doc.failed } : { ...COUNTS, processing: doc.requests },
    created_at: doc.at,
    expires_at: new Date(Date.parse(doc.at) + WINDOW_MS).toISOString(),
    ended_at: doc.endedAt,
    cancel_initiated_at: null,
    archived_at: null,
    results_url: hasEnded ? resultsUrl(call, id) : null,
  };
};

const WORDS: BatchWords = {
  // With our own address of its results.
  told: (call, said) =>
    said['processing_status'] === 'ended' && (said['archived_at'] ?? null) === null
      ? { ...said, results_url: resultsUrl(call, String(said['id'])) }
      : said,
  known: (call, batch) => known(call, { ...batch.submitted, ...standingOf(batch) }),
};

/** The addresses of Anthropic's message batches. A batch belongs to the key that made it; anybody else's is not found. */
export const addMessageBatchRoutes = (router: Router, deps: FileRoutesDeps): void => {
  const { files: desk, look, notThisMethod } = deps;

  const create = (files: FileDesk, call: Call, caller: Caller): Promise<void> =>
    answerCreated(deps, WORDS, files, call, () => createMessageBatch(deps, files, call, caller));

  const list = async (files: FileDesk, call: Call, { token }: Caller): Promise<Json | Refusal> => {
    const query = MessageBatchesQuery.safeParse(call.req.query);
    if (!query.success) return firstIssue(query.error);
    const { limit, after_id: after, before_id: before } = query.data;
    const found = await files.lists.batches(token.tokenId, {
      ...{ form: 'anthropic', after: after === undefined ? null : BatchId.parse(ownId(after)), limit: limit + 1 },
      ...(before === undefined ? {} : { before: BatchId.parse(ownId(before)) }),
    });
    // Going back, the one too many is the first.
    const shown = before === undefined ? found.slice(0, limit) : found.slice(-limit);
    const data = shown.map((doc) => known(call, doc));
    return { data, has_more: found.length > limit, first_id: data[0]?.['id'] ?? null, last_id: data.at(-1)?.['id'] ?? null };
  };

  const results = async (files: FileDesk, call: Call, asked: SeenBatch): Promise<Refusal | void> => {
    const batch = asked.ended === null ? (await files.look(asked)).batch : asked;
    settleSoon(files, batch);
    const question = files.resultsOf(batch);
    if (question === null) return refuse('not_found', 'The batch has no results yet.');
    const request = await placeRequest(files.asking, batch.submitted, { ...question, headers: { ...question.headers, accept: '*/*' } });
    if (request === null) return refuse('upstream_failed');
    call.channelId = batch.submitted.channelId;
    return passContent(deps, call, request);
  };

  const route = (
    name: string,
    answer: (files: FileDesk, call: Call, caller: Caller) => Promise<Json | Refusal | void>,
    use?: KeyUse,
  ): RequestHandler => look(name, 'batches', fromDesk(desk, NOWHERE, answer), use);
  const onBatch = (
    name: string,
    answer: (files: FileDesk, call: Call, batch: SeenBatch) => Promise<Json | Refusal | void>,
  ): RequestHandler =>
    route(name, async (files, call, { token }) => {
      const id = ownId(String(call.req.params['id']));
      const batch = id === '' ? NO_BATCH : await files.ownBatch(token.tokenId, id, 'anthropic');
      return isRefusal(batch) ? batch : answer(files, call, batch);
    });

  router
    .route(MESSAGE_BATCHES)
    .post(route(MESSAGE_BATCHES, create, 'spend'))
    .get(route(MESSAGE_BATCHES, list));
  router
    .route(`${MESSAGE_BATCHES}/:id`)
    .get(onBatch(BATCH, (files, call, batch) => batchSeen(WORDS, files, call, batch, 'see')))
    .delete(
      onBatch(BATCH, async (files, _call, batch) => {
        const id = messageBatchId(batch.submitted.batchId);
        const ended = batch.ended === null ? (await files.look(batch)).batch : batch;
        return (await files.deleteBatch(ended)) ?? { id, type: 'message_batch_deleted' };
      }),
    );
  router.post(
    `${MESSAGE_BATCHES}/:id/cancel`,
    onBatch(CANCEL, (files, call, batch) => batchSeen(WORDS, files, call, batch, 'cancel')),
  );
  router.get(`${MESSAGE_BATCHES}/:id/results`, onBatch(RESULTS, results));
  for (const [path, name, allowed] of [
    [MESSAGE_BATCHES, MESSAGE_BATCHES, 'GET or POST'],
    [`${MESSAGE_BATCHES}/:id`, BATCH, 'GET or DELETE'],
    [`${MESSAGE_BATCHES}/:id/cancel`, CANCEL, 'POST'],
    [`${MESSAGE_BATCHES}/:id/results`, RESULTS, 'GET'],
  ] as const)
    router.all(path, notThisMethod(allowed)(name));
};
