import type { KeptItem } from '../../../schemas/responses/kept-content.ts';
import type { ResponsesRequest } from '../../../schemas/responses/responses-request.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { detailsIn } from './sealed-thoughts.ts';
import { conversationOf, responseIdOf, type ResponseIdentity } from './response.ts';

type Json = Readonly<Record<string, unknown>>;

/** Whatever a provider calls an item: it was made under another id of an answer than ours. A thought keeps its name, which its seal may depend on. */
const renamedItem = (item: unknown, index: number, idBody: string): unknown => {
  if (!isRecord(item) || typeof item['id'] !== 'string' || item['type'] === 'reasoning') return item;
  return { ...item, id: renamed(item['id'], index, idBody) };
};

const renamed = (id: string, index: number, idBody: string): string => {
  const prefix = /^[a-z]{1,16}(?=_)/.exec(id)?.[0] ?? 'item';
  return prefix === 'rs' ? id : `${prefix}_${idBody}-${index}`;
};

/** A provider's own response as its caller gets it: everything is as it came but the names of things, which are ours, and what is ours to do. */
export const ownResponse = (said: Json, request: ResponsesRequest, { idBody, model }: ResponseIdentity, isStored: boolean): Json => {
  const conversation = conversationOf(request);
  const output: readonly unknown[] = Array.isArray(said['output']) ? said['output'] : [];
  return {
    ...said,
    id: responseIdOf(idBody),
    model,
    store: isStored,
    previous_response_id: request.previous_response_id ?? null,
    ...(conversation === null ? {} : { conversation: { id: conversation } }),
    output: output.map((item, index) => renamedItem(item, index, idBody)),
  };
};

/** An event of a provider's own stream, likewise. */
export const ownEvent = (event: Json, request: ResponsesRequest, identity: ResponseIdentity, isStored: boolean): Json => {
  const { response, item, item_id: itemId, output_index: index } = event;
  const at = typeof index === 'number' ? index : 0;
  return {
    ...event,
    ...(isRecord(response) ? { response: ownResponse(response, request, identity, isStored) } : {}),
    ...(isRecord(item) ? { item: renamedItem(item, at, identity.idBody) } : {}),
    ...(typeof itemId === 'string' ? { item_id: renamed(itemId, at, identity.idBody) } : {}),
  };
};

/** Whether nothing follows an event of this type. */
export const isLastEvent = (type: unknown): boolean =>
  type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed' || type === 'response.cancelled';

/**
 * A request in its provider's own words: the client's, but for what was said before, which is told instead of referred to, since it lies here.
 * Thoughts of earlier answers are left out: another account of the provider's could not read them, and would refuse them.
 */
export const ownRequest = (request: ResponsesRequest, earlier: readonly unknown[], input: ResponsesRequest['input']): Json => {
  const { previous_response_id: _previous, conversation: _conversation, background: _background, ...rest } = request;
  const before = earlier.filter(isRecord).filter((item) => item['type'] !== 'reasoning');
  const items = typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : withoutForeign(input ?? []);
  return {
    ...rest,
    ...(before.length > 0 ? { input: [...before.map(withoutId), ...items] } : Array.isArray(input) ? { input: items } : {}),
    // What is kept is kept here.
    store: false,
  };
};

/** Thoughts of another provider, sealed here, would be refused. */
const withoutForeign = (items: readonly Json[]): readonly Json[] =>
  items.filter((item) => item['type'] !== 'reasoning' || detailsIn(item['encrypted_content']).length === 0);

/** The id of a kept item says nothing to a provider, and one that it does not know it refuses. */
const withoutId = (item: Json): Json => {
  const { id: _id, status: _status, ...rest } = item as KeptItem;
  return rest;
};

const saidBy = (part: unknown): string => (isRecord(part) ? textOf(part['text']) : '');

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Calls of the provider's own tools that it charges by the piece. */
const searchesIn = (output: readonly unknown[]): number =>
  output.filter((item) => isRecord(item) && (item['type'] === 'web_search_call' || item['type'] === 'file_search_call')).length;

/** A response's usage in the hub's form; `null` where it has none. */
const hubUsage = (response: Json): Json | null => {
  const { usage } = response;
  if (!isRecord(usage)) return null;
  const searches = searchesIn(listOf(response['output']));
  return {
    prompt_tokens: usage['input_tokens'],
    completion_tokens: usage['output_tokens'],
    total_tokens: usage['total_tokens'],
    prompt_tokens_details: usage['input_tokens_details'],
    completion_tokens_details: usage['output_tokens_details'],
    ...(searches === 0 ? {} : { server_tool_use: { web_search_requests: searches } }),
  };
};

const finishReason = (response: Json): string => {
  const details = response['incomplete_details'];
  if (response['status'] === 'incomplete') return isRecord(details) && details['reason'] === 'content_filter' ? 'content_filter' : 'length';
  return listOf(response['output']).some((item) => isRecord(item) && item['type'] === 'function_call') ? 'tool_calls' : 'stop';
};

/** What a provider says of a failure. */
const errorIn = (response: Json): Json => {
  const { error } = response;
  return isRecord(error) ? error : { message: 'The response failed.', code: 'server_error' };
};

/** A provider's own response in the hub's form, with its own words beside it. */
export const hubCompletion = (response: Json): Json => {
  if (response['status'] === 'failed') return { error: errorIn(response) };
  const texts: string[] = [];
  const thoughts: string[] = [];
  const calls: Json[] = [];
  for (const item of listOf(response['output'])) {
    if (!isRecord(item)) continue;
    if (item['type'] === 'message') texts.push(...listOf(item['content']).map(saidBy));
    if (item['type'] === 'reasoning') thoughts.push(...listOf(item['summary']).map(saidBy));
    if (item['type'] === 'function_call')
      calls.push({ id: item['call_id'], type: 'function', function: { name: item['name'], arguments: item['arguments'] } });
  }
  const usage = hubUsage(response);
  return {
    object: 'chat.completion',
    model: response['model'],
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: texts.join(''), reasoning_content: thoughts.join(''), tool_calls: calls },
        finish_reason: finishReason(response),
      },
    ],
    ...(usage === null ? {} : { usage }),
    native: response,
  };
};

const deltaOf = (event: Json): Json => {
  const text = textOf(event['delta']);
  switch (event['type']) {
    case 'response.output_text.delta':
      return { content: text };
    case 'response.refusal.delta':
      return { refusal: text };
    case 'response.reasoning_summary_text.delta':
    case 'response.reasoning_text.delta':
      return { reasoning_content: text };
    case 'response.function_call_arguments.delta':
    case 'response.custom_tool_call_input.delta':
    case 'response.mcp_call_arguments.delta':
    case 'response.code_interpreter_call_code.delta':
      return { tool_calls: [{ index: event['output_index'], function: { arguments: text } }] };
    case 'response.output_item.added': {
      const { item } = event;
      const isCall = isRecord(item) && (item['type'] === 'function_call' || item['type'] === 'custom_tool_call');
      return isCall ? { tool_calls: [{ index: event['output_index'], function: { name: item['name'] } }] } : {};
    }
    default:
      return {};
  }
};

/** What an event of a provider's own stream comes to in the hub's form, with its own words beside it. */
export const hubChunks = (event: unknown): readonly Json[] => {
  if (!isRecord(event)) return [];
  const { type, response } = event;
  if (type === 'error') return [{ error: isRecord(event['error']) ? event['error'] : { message: event['message'], code: event['code'] } }];
  if (!isLastEvent(type) || !isRecord(response))
    return [{ choices: [{ index: 0, delta: deltaOf(event), finish_reason: null }], native: event }];
  if (type === 'response.failed') return [{ error: errorIn(response) }];
  const usage = hubUsage(response);
  return [
    { choices: [{ index: 0, delta: {}, finish_reason: finishReason(response) }], native: event },
    ...(usage === null ? [] : [{ choices: [], usage }]),
  ];
};
