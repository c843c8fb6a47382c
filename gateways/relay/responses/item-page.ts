import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { KeptItem } from '../../../schemas/responses/kept-content.ts';
import { ItemsQuery } from '../../../schemas/responses/conversation-requests.ts';
import type { Call } from '../call.ts';
import { openaiList } from '../openai-list.ts';
import { firstIssue } from '../parse.ts';

/** The page of a list that was asked for; `items` in the order that they came in. */
export const pageOf = ({ req }: Call, items: readonly KeptItem[]): object | Refusal => {
  const query = ItemsQuery.safeParse(req.query);
  if (!query.success) return firstIssue(query.error);
  const { limit, order, after } = query.data;
  const ordered = order === 'asc' ? items : items.toReversed();
  const at = after === undefined ? -1 : ordered.findIndex(({ id }) => id === after);
  if (after !== undefined && at < 0) return refuse('invalid_request', 'after: there is no such item.', { param: 'after' });
  const page = ordered.slice(at + 1, at + 1 + limit);
  return openaiList(page, at + 1 + limit < ordered.length);
};

/** What a step answers with, unless it was refused. */
export const unless = (refused: Refusal | null, answer: object): object | Refusal => (isRefusal(refused) ? refused : answer);
