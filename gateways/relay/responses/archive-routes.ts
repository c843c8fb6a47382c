import type { Request, RequestHandler, Router } from 'express';
import type { z } from 'zod';
import { keptItems } from '../../../domain/dialects/responses/kept-items.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ConversationId } from '../../../schemas/ids.ts';
import { AddItems, DescribeConversation, ResponseQuery, StartConversation } from '../../../schemas/responses/conversation-requests.ts';
import type { ConversationFacts } from '../../../schemas/responses/kept-content.ts';
import { sendJson, sendRefusal } from '../answer.ts';
import type { Call, Caller } from '../call.ts';
import { idBodyOf } from '../dialects/responses-answers.ts';
import { firstIssue, readObject } from '../parse.ts';
import { readBody } from '../read-body.ts';
import type { RelayDeps } from '../relay-deps.ts';
import { archiveCaller, type Archive } from './archive.ts';
import type { BackgroundCalls } from './background-calls.ts';
import { resumeStream } from './resume-stream.ts';
import { openaiList } from '../openai-list.ts';
import { pageOf, unless } from './item-page.ts';

type Answer = (call: Call, caller: Caller) => Promise<void>;

export interface ArchiveRoutesDeps extends Pick<RelayDeps, 'archive' | 'limits' | 'clock'> {
  readonly background: BackgroundCalls;
  /** An answer that costs nothing, to whoever has a key for chat. */
  readonly look: (routeName: string, answer: Answer) => RequestHandler;
  readonly notThisMethod: (allowed: string) => (routeName: string) => RequestHandler;
}

type Json = Readonly<Record<string, unknown>>;

type Work = (archive: Archive, call: Call, caller: Caller) => Promise<object | Refusal | null>;

const RESPONSE = '/v1/responses/{id}';
const CONVERSATIONS = '/v1/conversations';
const CONVERSATION = '/v1/conversations/{id}';

const NOTHING_KEPT = refuse('not_found', 'Nothing is kept here.');

const idIn = ({ params }: Request, name = 'id'): string => String(params[name]);

const conversationAnswer = (id: string, { metadata, createdAt }: ConversationFacts): object => ({
  id,
  object: 'conversation',
  created_at: createdAt,
  metadata,
});

const isBeingMade = ({ status }: Json): boolean => status === 'in_progress' || status === 'queued';

/** A response as it stands; one that was begun before a moment, and is still being made, is not: whoever made it is gone. */
const lostSince = (response: Json, moment: number): Json =>
  isBeingMade(response) && Number(response['created_at']) * 1_000 < moment
    ? {
        ...response,
        status: 'failed',
        error: { code: 'server_error', message: 'Whoever made this response came to an end before it did.' },
      }
    : response;

/** The addresses of what is kept: answers of the Responses API, and conversations. Anybody else's are not found. */
export const addArchiveRoutes = (router: Router, { archive, background, limits, clock, look, notThisMethod }: ArchiveRoutesDeps): void => {
  const kept = (routeName: string, work: Work): RequestHandler =>
    look(routeName, async (call, caller) => {
      const answer = archive === null ? NOTHING_KEPT : await work(archive, call, caller);
      if (answer === null) return;
      if (isRefusal(answer)) return sendRefusal(call, answer);
      sendJson(call, 200, answer);
    });

  /** A body of this schema; `null`: whoever sent it is gone. */
  const bodyOf = async <Schema extends z.ZodType>(call: Call, schema: Schema): Promise<z.output<Schema> | Refusal | null> => {
    const body = await readBody(call.req, limits.bodyBytes, 'json', call);
    if (body === null || 'refused' in body) return body;
    const read = body.length === 0 ? { value: {} } : readObject(body, [], limits);
    if ('refused' in read) return read;
    const parsed = schema.safeParse(read.value);
    return parsed.success ? parsed.data : firstIssue(parsed.error);
  };

  router
    .route('/v1/responses/:id')
    .get(
      kept(RESPONSE, async ({ responses }, call, { user }) => {
        const content = await responses.read(user.userId, idIn(call.req));
        if (isRefusal(content)) return content;
        const query = ResponseQuery.safeParse(call.req.query);
        if (!query.success) return firstIssue(query.error);
        if (query.data.stream !== 'true') return lostSince(content.response, clock.now() - limits.streamMs);
        const isOver = async (): Promise<boolean> => {
          const now = await responses.read(user.userId, idIn(call.req));
          return isRefusal(now) ? now.refused === 'not_found' : !isBeingMade(now.response);
        };
        await resumeStream(call, background.events, idIn(call.req), query.data.starting_after, isOver);
        return null;
      }),
    )
    .delete(
      kept(RESPONSE, async ({ responses }, call, caller) => {
        const id = idIn(call.req);
        const refused = await responses.delete(archiveCaller(call, caller), id);
        if (refused !== null) return refused;
        await background.forget(id);
        return { id, object: 'response', deleted: true };
      }),
    );
  router.post(
    '/v1/responses/:id/cancel',
    kept(`${RESPONSE}/cancel`, async ({ responses }, call, caller) => {
      const id = idIn(call.req);
      const refused = await responses.cancel(archiveCaller(call, caller), id);
      if (refused !== null) return refused;
      background.cancel(id);
      const content = await responses.read(caller.user.userId, id);
      return isRefusal(content) ? content : content.response;
    }),
  );
  router.get(
    '/v1/responses/:id/input_items',
    kept(`${RESPONSE}/input_items`, async ({ responses }, call, { user }) => {
      const content = await responses.read(user.userId, idIn(call.req));
      return isRefusal(content) ? content : pageOf(call, content.input);
    }),
  );

  router.post(
    CONVERSATIONS,
    kept(CONVERSATIONS, async ({ conversations }, call, caller) => {
      const body = await bodyOf(call, StartConversation);
      if (body === null || isRefusal(body)) return body;
      const idBody = idBodyOf(call.requestId);
      const id = `conv_${idBody}` as ConversationId;
      const facts = { metadata: body.metadata ?? {}, createdAt: Math.floor(clock.now() / 1_000) };
      const refused = await conversations.start(archiveCaller(call, caller), id, facts, keptItems(body.items ?? [], idBody));
      return unless(refused, conversationAnswer(id, facts));
    }),
  );
  router
    .route('/v1/conversations/:id')
    .get(
      kept(CONVERSATION, async ({ conversations }, { req }, { user }) => {
        const content = await conversations.read(user.userId, idIn(req));
        return isRefusal(content) ? content : conversationAnswer(idIn(req), content.facts);
      }),
    )
    .post(
      kept(CONVERSATION, async ({ conversations }, call, caller) => {
        const body = await bodyOf(call, DescribeConversation);
        if (body === null || isRefusal(body)) return body;
        const id = idIn(call.req);
        const content = await conversations.read(caller.user.userId, id);
        if (isRefusal(content)) return content;
        const facts = { ...content.facts, metadata: body.metadata ?? {} };
        return unless(await conversations.describe(archiveCaller(call, caller), id, facts), conversationAnswer(id, facts));
      }),
    )
    .delete(
      kept(CONVERSATION, async ({ conversations }, call, caller) => {
        const id = idIn(call.req);
        return unless(await conversations.delete(archiveCaller(call, caller), id), { id, object: 'conversation.deleted', deleted: true });
      }),
    );
  router
    .route('/v1/conversations/:id/items')
    .get(
      kept(`${CONVERSATION}/items`, async ({ conversations }, call, { user }) => {
        const content = await conversations.read(user.userId, idIn(call.req));
        return isRefusal(content) ? content : pageOf(call, content.items);
      }),
    )
    .post(
      kept(`${CONVERSATION}/items`, async ({ conversations }, call, caller) => {
        const body = await bodyOf(call, AddItems);
        if (body === null || isRefusal(body)) return body;
        const items = keptItems(body.items, idBodyOf(call.requestId));
        return unless(await conversations.add(archiveCaller(call, caller), idIn(call.req), items), openaiList(items, false));
      }),
    );
  router
    .route('/v1/conversations/:id/items/:itemId')
    .get(
      kept(`${CONVERSATION}/items/{id}`, async ({ conversations }, { req }, { user }) => {
        const content = await conversations.read(user.userId, idIn(req));
        if (isRefusal(content)) return content;
        return (
          content.items.find(({ id }) => id === idIn(req, 'itemId')) ?? refuse('not_found', 'There is no such item in the conversation.')
        );
      }),
    )
    .delete(
      kept(`${CONVERSATION}/items/{id}`, async ({ conversations }, call, caller) => {
        const id = idIn(call.req);
        const refused = await conversations.remove(archiveCaller(call, caller), id, idIn(call.req, 'itemId'));
        if (refused !== null) return refused;
        const content = await conversations.read(caller.user.userId, id);
        return isRefusal(content) ? content : conversationAnswer(id, content.facts);
      }),
    );

  for (const [path, name, allowed] of [
    ['/v1/responses/:id', RESPONSE, 'GET or DELETE'],
    ['/v1/responses/:id/cancel', `${RESPONSE}/cancel`, 'POST'],
    ['/v1/responses/:id/input_items', `${RESPONSE}/input_items`, 'GET'],
    [CONVERSATIONS, CONVERSATIONS, 'POST'],
    ['/v1/conversations/:id', CONVERSATION, 'GET, POST or DELETE'],
    ['/v1/conversations/:id/items', `${CONVERSATION}/items`, 'GET or POST'],
    ['/v1/conversations/:id/items/:itemId', `${CONVERSATION}/items/{id}`, 'GET or DELETE'],
  ] as const)
    router.all(path, notThisMethod(allowed)(name));
};
