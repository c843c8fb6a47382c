import type { RequestHandler, Router } from 'express';
import type { BatchDocument } from '../../../projections/batches/tables.ts';
import { MessageBatchesQuery, MessageBatchId } from '../../../schemas/anthropic/batches-request.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { BatchId } from '../../../schemas/ids.ts';
import { sendBody, sendJson, sendRefusal } from '../answer.ts';
import type { KeyUse } from '../authenticate.ts';
import type { Call, Caller } from '../call.ts';
import { firstIssue } from '../parse.ts';
import { Passing, type Passed } from '../pass-through/passing.ts';
import { createMessageBatch } from './create-message-batch.ts';
import { messageBatchId, type FileDesk, type SeenBatch } from './file-desk.ts';
import { placeRequest } from './file-place.ts';
import type { FileRoutesDeps } from './file-routes.ts';

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

const knownBatch = (call: Call, { submitted, started, ended }: SeenBatch): Json =>
  known(call, {
    ...submitted,
    state: ended?.status ?? (started === null ? 'submitted' : 'started'),
    succeeded: ended?.succeeded ?? 0,
    failed: ended?.failed ?? 0,
    endedAt: ended?.at ?? null,
  });

/** What an upstream said of a batch, with our own address of its results. */
const told = (call: Call, said: Json): Json =>
  said['processing_status'] === 'ended' && (said['archived_at'] ?? null) === null
    ? { ...said, results_url: resultsUrl(call, String(said['id'])) }
    : said;

/** The addresses of Anthropic's message batches. A batch belongs to the key that made it; anybody else's is not found. */
export const addMessageBatchRoutes = (router: Router, deps: FileRoutesDeps): void => {
  const { files: desk, limits, look, notThisMethod } = deps;

  /** What is owed is settled behind the answer, which does not wait for it; what fails here is done by whoever looks next. */
  const settleSoon = (files: FileDesk, batch: SeenBatch): void => {
    if (batch.ended !== null && batch.settled === null) void files.settle(batch).catch(() => undefined);
  };

  const seen = async (files: FileDesk, call: Call, batch: SeenBatch, question: 'see' | 'cancel'): Promise<Json> => {
    const { said, batch: now } = await files.look(batch, question);
    settleSoon(files, now);
    return said === null ? knownBatch(call, now) : told(call, said);
  };

  const create = async (files: FileDesk, call: Call, caller: Caller): Promise<void> => {
    if (!deps.inFlight.admitting) return sendRefusal(call, refuse('shutting_down', undefined, { retryAfterSeconds: 1 }));
    deps.inFlight.add(call);
    try {
      const created = await createMessageBatch(deps, files, call, caller);
      switch (created?.kind) {
        case undefined:
          return;
        case 'refused':
          return sendRefusal(call, created.refusal);
        case 'passed':
          call.errorCode = 'upstream_refused';
          return sendBody(call, created.status, 'application/json', created.body);
        case 'known':
          return sendJson(call, 200, await seen(files, call, created.batch, 'see'));
        case 'created':
          return sendJson(call, 200, told(call, created.said));
      }
    } finally {
      deps.inFlight.delete(call);
    }
  };

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
    call.res.on('close', () => {
      if (!call.res.writableFinished) call.interrupt('client_left');
    });
    const passed = await new Promise<Passed>((resolve) =>
      new Passing(
        deps,
        call,
        { recorded: null, model: '', withinMs: limits.answerMs, headers: [], mayPass: (status) => status === 200 },
        resolve,
      ).begin((listener) => deps.upstream.send({ ...request, wantsHeaders: true }, listener)),
    );
    if (passed.kind === 'answered') return void call.res.end(passed.rest);
    if (passed.kind === 'broken') return void call.res.destroy();
    return refuse(passed.kind === 'judged' && passed.status === 404 ? 'not_found' : 'upstream_failed');
  };

  const route = (
    name: string,
    answer: (files: FileDesk, call: Call, caller: Caller) => Promise<Json | Refusal | void>,
    use?: KeyUse,
  ): RequestHandler =>
    look(
      name,
      'batches',
      async (call, caller) => {
        const given = desk === null ? NOWHERE : await answer(desk, call, caller);
        if (given === undefined) return;
        if (isRefusal(given)) sendRefusal(call, given);
        else sendJson(call, 200, given);
      },
      use,
    );
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
    .get(onBatch(BATCH, (files, call, batch) => seen(files, call, batch, 'see')))
    .delete(
      onBatch(BATCH, async (files, _call, batch) => {
        const id = messageBatchId(batch.submitted.batchId);
        const ended = batch.ended === null ? (await files.look(batch)).batch : batch;
        return (await files.deleteBatch(ended)) ?? { id, type: 'message_batch_deleted' };
      }),
    );
  router.post(
    `${MESSAGE_BATCHES}/:id/cancel`,
    onBatch(CANCEL, (files, call, batch) => seen(files, call, batch, 'cancel')),
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
