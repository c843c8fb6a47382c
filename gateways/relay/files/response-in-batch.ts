import { chatRequestOf } from '../../../domain/dialects/responses/chat-request.ts';
import { ownRequest } from '../../../domain/dialects/responses/response-events.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { readResponsesRequest } from '../dialects/responses-requests.ts';
import { chat } from '../endpoints/chat.ts';
import type { ParsedRequest } from '../endpoints/parsed-request.ts';
import type { RelayLimits } from '../relay-limits.ts';

const unfit = (param: string, why: string): Refusal => refuse('invalid_request', `${param}: ${why}`, { param });

/**
 * A request of the Responses API within a batch. It reaches its upstream as it is, so it may not refer to anything that is kept there, which is the operator's
 * whoever made it; and tools of the provider's own have no price before they are used.
 */
export const parseResponseInBatch = (body: Buffer, limits: RelayLimits): ParsedRequest | Refusal => {
  const request = readResponsesRequest(body, limits);
  if (isRefusal(request)) return request;
  for (const name of ['previous_response_id', 'conversation'] as const)
    if ((request[name] ?? null) !== null) return unfit(name, 'what was said before has to be in the request.');
  if (request.background === true) return unfit('background', 'a batch is in the background already.');
  if (request.stream === true) return unfit('stream', 'nothing can be streamed.');
  if (Array.isArray(request.input) && request.input.some(({ type }) => type === 'item_reference'))
    return unfit('input', 'items have to be in the request.');
  if ((request.tools ?? []).some(({ type }) => type !== 'function' && type !== 'custom'))
    return unfit('tools', 'only functions can be called in a batch.');
  const said = chatRequestOf(request, []);
  if (isRefusal(said)) return said;
  const parsed = chat.parse(Buffer.from(JSON.stringify(said.chat)), limits);
  if (isRefusal(parsed)) return parsed;
  return {
    ...parsed,
    responses: { request: ownRequest(request, [], request.input), bytes: body.length, toolUses: 0, unsayable: said.unsayable },
  };
};
