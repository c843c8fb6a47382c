import { chatRequestOf } from '../../../domain/dialects/responses/chat-request.ts';
import { keptItems } from '../../../domain/dialects/responses/kept-items.ts';
import { ownRequest } from '../../../domain/dialects/responses/response-events.ts';
import { conversationOf } from '../../../domain/dialects/responses/response.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ConversationId, ResponseId } from '../../../schemas/ids.ts';
import { KeptContent, KeptItem } from '../../../schemas/responses/kept-content.ts';
import type { ResponsesRequest } from '../../../schemas/responses/responses-request.ts';
import type { Call, Caller } from '../call.ts';
import { idBodyOf, responsesAnswers, type KeepResponse } from '../dialects/responses-answers.ts';
import { readResponsesRequest } from '../dialects/responses-requests.ts';
import type { RelayDeps } from '../relay-deps.ts';
import type { Prepare } from '../spending-route.ts';
import { archiveCaller, type Archive } from './archive.ts';
import type { BackgroundCalls } from './background-calls.ts';
import { BackgroundResponse } from './background-response.ts';
import { readHistory, type History } from './history.ts';

/** Longer than this nobody waits for an answer to be kept, in milliseconds. */
const KEEP_MS = 5_000;

export interface PrepareDeps extends Pick<RelayDeps, 'clock' | 'limits' | 'archive'> {
  readonly background: BackgroundCalls;
}

/** What a request wants of what is kept, where nothing is. */
const wantsArchive = (request: ResponsesRequest): string | null => {
  for (const name of ['previous_response_id', 'conversation'] as const)
    if (request[name] !== undefined && request[name] !== null) return name;
  return null;
};

const LATE = refuse('log_unavailable', 'it took too long');

const within = (ms: number, work: Promise<Refusal | null>): Promise<Refusal | null> => {
  let timer: NodeJS.Timeout;
  const late = new Promise<Refusal>((resolve) => {
    timer = setTimeout(() => resolve(LATE), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};

/** Keeps an answer, and adds it to its conversation. The charge is on record by then, and the answer goes out whatever becomes of this. */
const keeping = (
  archive: Archive,
  call: Call,
  caller: Caller,
  request: ResponsesRequest,
  { lineage }: History,
  input: readonly KeptItem[],
  isBegun: boolean,
): KeepResponse => {
  const whose = archiveCaller(call, caller);
  const conversation = conversationOf(request);
  const keep = async (response: Readonly<Record<string, unknown>>): Promise<Refusal | null> => {
    const content = KeptContent.parse({ response, input, lineage });
    if (conversation !== null) {
      const items = [...input, ...content.response.output.map((item) => KeptItem.parse(item))];
      const refused = await archive.conversations.add(whose, conversation, items);
      if (refused !== null) return refused;
    }
    if (request.store === false) return null;
    return archive.responses.keep(whose, {
      responseId: content.response.id as ResponseId,
      requestId: call.requestId,
      model: request.model,
      conversationId: conversation as ConversationId | null,
      content,
      isBegun,
    });
  };
  return async (response) => {
    let refused: Refusal | null;
    try {
      refused = await within(KEEP_MS, keep(response));
    } catch (error) {
      refused = refuse('internal', error instanceof Error ? error.message : String(error));
    }
    if (refused !== null) call.detail = `the answer was not kept: ${refused.message}`;
    return refused === null && request.store !== false;
  };
};

/** Where the input still refers to something that is not kept: whose it is nobody can tell, so no upstream is asked for it either. */
const firstReference = (input: ResponsesRequest['input']): string | null => {
  const at = Array.isArray(input) ? input.findIndex(({ type }) => type === 'item_reference') : -1;
  return at < 0 ? null : `input.${at}`;
};

/** A thought keeps its provider's name and is not found by it; it is left out, as all earlier thoughts are. */
const withoutThoughtReferences = (input: ResponsesRequest['input']): ResponsesRequest['input'] =>
  Array.isArray(input) ? input.filter(({ type, id }) => type !== 'item_reference' || !String(id).startsWith('rs_')) : input;

/** Where a request does not bound how often its provider's own tools are used. */
const USUAL_TOOL_USES = 8;

const toolUsesOf = ({ tools, max_tool_calls: most }: ResponsesRequest): number =>
  (tools ?? []).some(({ type }) => type !== 'function' && type !== 'custom') ? (most ?? USUAL_TOOL_USES) : 0;

const NOTHING_KEPT: Omit<History, 'input'> = { earlier: [], lineage: [] };

/** A request of the Responses API as one of chat completions, behind what is kept of its conversation. */
export const prepareResponse =
  (deps: PrepareDeps): Prepare =>
  async (call, caller, body) => {
    const request = readResponsesRequest(body, deps.limits);
    if (isRefusal(request)) return request;
    const { archive } = deps;
    const isBackground = request.background === true;
    if (isBackground && (archive === null || request.store === false))
      return refuse('invalid_request', 'background: only a response that is kept can be made in the background.', { param: 'background' });
    const wanted = archive === null ? wantsArchive(request) : null;
    if (wanted !== null)
      return refuse('invalid_request', `${wanted}: nothing is kept here; send what was said before again.`, { param: wanted });
    const read = archive === null ? { ...NOTHING_KEPT, input: request.input } : await readHistory(archive, caller.user.userId, request);
    if (isRefusal(read)) return read;
    const input = withoutThoughtReferences(read.input);
    const history = { ...read, input };
    const unknown = firstReference(input);
    if (unknown !== null)
      return refuse('invalid_request', `${unknown}: there is no such item among what is kept here.`, { param: unknown });
    // Nobody waits for the whole of it, so there is no limit on how long that takes.
    const asked = { ...request, input: history.input, ...(isBackground ? { stream: true } : {}) };
    const said = chatRequestOf(asked, history.earlier);
    if (isRefusal(said)) return said;
    const chat = Buffer.from(JSON.stringify(said.chat));
    const own = ownRequest(asked, history.earlier, history.input);
    const bytes = Buffer.byteLength(JSON.stringify(own));
    if (Math.max(chat.length, bytes) > deps.limits.bodyBytes)
      return refuse('body_too_large', 'With what was said before, the request is larger than any that is taken.');
    const words = { request: own, bytes, toolUses: toolUsesOf(request), unsayable: said.unsayable };
    const { startedAt } = call;
    const now = (): number => deps.clock.now();
    const items = keptItems(history.input, `${idBodyOf(call.requestId)}-in`);
    if (archive === null || (request.store === false && conversationOf(request) === null))
      return { body: chat, responses: words, dialect: responsesAnswers({ request, startedAt, now, keep: null }) };
    const keep = keeping(archive, call, caller, request, history, items, isBackground);
    if (!isBackground) return { body: chat, responses: words, dialect: responsesAnswers({ request, startedAt, now, keep }) };
    const background = new BackgroundResponse({
      archive,
      calls: deps.background,
      client: call,
      caller,
      request,
      identity: { idBody: idBodyOf(call.requestId), model: request.model, createdAt: Math.floor(startedAt / 1_000) },
      input: items,
      lineage: history.lineage,
      keep,
      now,
    });
    return {
      body: chat,
      responses: words,
      background,
      dialect: responsesAnswers({ request, startedAt, now, keep: background.keep, tell: background.tell }),
    };
  };
