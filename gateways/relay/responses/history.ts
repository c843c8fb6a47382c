import { conversationOf } from '../../../domain/dialects/responses/response.ts';
import { referencesIn, responseOfItem, withReferences } from '../../../domain/dialects/responses/kept-items.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { UserId } from '../../../schemas/ids.ts';
import type { KeptContent } from '../../../schemas/responses/kept-content.ts';
import type { ResponsesRequest } from '../../../schemas/responses/responses-request.ts';
import type { Archive } from './archive.ts';

/** More answers in one line than that are more than any model is told at once. */
const LONGEST_LINEAGE = 500;

/** Answers that are read at once. */
const AT_ONCE = 16;

const NO_LONGER = 'is not kept here, or not any more';

/** What was said before, and what a request's input is with all that it only refers to. */
export interface History {
  readonly earlier: readonly unknown[];
  readonly lineage: readonly string[];
  readonly input: ResponsesRequest['input'];
}

const notKept = (refusal: Refusal, param: string, message: string): Refusal =>
  refusal.refused === 'not_found' ? refuse('invalid_request', `${param}: ${message}`, { param }) : refusal;

/** Each answer once, some at a time; the refusal of the first that cannot be read. */
const readAll = async (
  archive: Archive,
  userId: UserId,
  ids: readonly string[],
  param: string,
): Promise<readonly KeptContent[] | Refusal> => {
  const contents: KeptContent[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const read = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => archive.responses.read(userId, id)));
    for (const [index, content] of read.entries()) {
      if (isRefusal(content)) return notKept(content, param, `the response ${(ids[at + index] ?? '').slice(0, 100)} ${NO_LONGER}.`);
      contents.push(content);
    }
  }
  return contents;
};

const continued = async (archive: Archive, userId: UserId, id: string): Promise<Pick<History, 'earlier' | 'lineage'> | Refusal> => {
  const param = 'previous_response_id';
  const previous = await readAll(archive, userId, [id], param);
  if (isRefusal(previous)) return previous;
  const before = previous[0]?.lineage ?? [];
  if (before.length >= LONGEST_LINEAGE)
    return refuse('invalid_request', `${param}: ${LONGEST_LINEAGE} responses continue each other already; begin anew.`, { param });
  const ancestors = await readAll(archive, userId, before, param);
  if (isRefusal(ancestors)) return ancestors;
  const line = [...ancestors, ...previous];
  return { earlier: line.flatMap(({ input, response }) => [...input, ...response.output]), lineage: [...before, id] };
};

/** Items by their ids, out of the answers that they belong to. What is not found stays a reference, and is refused where it stands. */
const referred = async (archive: Archive, userId: UserId, itemIds: readonly string[]): Promise<ReadonlyMap<string, unknown> | Refusal> => {
  const found = new Map<string, unknown>();
  const responseIds = [...new Set(itemIds.map(responseOfItem).filter((id) => id !== null))];
  for (let at = 0; at < responseIds.length; at += AT_ONCE) {
    for (const content of await Promise.all(responseIds.slice(at, at + AT_ONCE).map((id) => archive.responses.read(userId, id)))) {
      if (isRefusal(content)) {
        if (content.refused === 'not_found') continue;
        return content;
      }
      for (const item of [...content.input, ...content.response.output]) if (typeof item['id'] === 'string') found.set(item['id'], item);
    }
  }
  return found;
};

/** Reads what a request refers to of what was said before. */
export const readHistory = async (archive: Archive, userId: UserId, request: ResponsesRequest): Promise<History | Refusal> => {
  const { previous_response_id: previous, input } = request;
  const conversation = conversationOf(request);
  let before: Pick<History, 'earlier' | 'lineage'> = { earlier: [], lineage: [] };
  if (typeof previous === 'string') {
    if (conversation !== null)
      return refuse('invalid_request', 'previous_response_id: not together with conversation.', { param: 'previous_response_id' });
    const line = await continued(archive, userId, previous);
    if (isRefusal(line)) return line;
    before = line;
  } else if (conversation !== null) {
    const content = await archive.conversations.read(userId, conversation);
    if (isRefusal(content)) return notKept(content, 'conversation', `the conversation ${conversation.slice(0, 100)} ${NO_LONGER}.`);
    before = { earlier: content.items, lineage: [] };
  }
  const references = referencesIn(input);
  if (references.length === 0 || !Array.isArray(input)) return { ...before, input };
  const found = await referred(archive, userId, references);
  return isRefusal(found) ? found : { ...before, input: withReferences(input, found) as NonNullable<ResponsesRequest['input']> };
};
