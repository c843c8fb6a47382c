import type { Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { beyondOneText, imageUrl, isUnsayable, stopsOf, textIn, unsayable } from '../chat/bounds.ts';
import { outputLimitOf } from '../chat/output-limit.ts';
import { toolsOf } from '../chat/tools.ts';
import { turnsOf, type SaidPart, type Turn } from '../chat/turns.ts';

type Json = Readonly<Record<string, unknown>>;

/** Models that are asked by the multimodal address, whatever they are shown. */
const MULTIMODAL = /(?:^|[-/])(?:vl|omni|qvq|ocr|audio)(?:[-./]|$)|^qvq|vl-/i;

/** Whether a call goes to DashScope’s multimodal address. */
export const isMultimodal = (request: ChatRequest, upstreamModel: string): boolean =>
  MULTIMODAL.test(upstreamModel) || JSON.stringify(request.messages).includes('"image_url"');

const contentOf = (parts: readonly SaidPart[], asList: boolean, param: string): string | readonly Json[] | Refusal => {
  if (!asList) {
    return parts.every(({ kind }) => kind === 'text') ? textIn(parts) : unsayable('this model reads texts only.', param);
  }
  const items: Json[] = [];
  for (const part of parts) {
    if (part.kind === 'text') items.push({ text: part.text });
    else if (part.kind === 'image') items.push({ image: imageUrl(part) });
    else return unsayable(`${part.kind === 'audio' ? 'audio' : 'files'} cannot be passed on to this model.`, param);
  }
  return items;
};

const messageOf = (turn: Turn, asList: boolean, param: string): Json | Refusal => {
  const content = contentOf(turn.parts, asList, param);
  if (typeof content === 'object' && isUnsayable(content)) return content;
  if (turn.role === 'tool') return { role: 'tool', tool_call_id: turn.callId, content };
  if (turn.role !== 'assistant' || turn.calls.length === 0) return { role: turn.role, content };
  const calls = turn.calls.map(({ id, name, arguments: given }, index) => ({
    id,
    type: 'function',
    index,
    function: { name, arguments: JSON.stringify(given) },
  }));
  return { role: 'assistant', content, tool_calls: calls };
};

const toolMembers = (request: ChatRequest): Json | Refusal => {
  const said = toolsOf(request);
  if (isUnsayable(said)) return said;
  const { tools, choice, parallel } = said;
  if (tools.length === 0) return {};
  if (choice?.mode === 'required') return unsayable('this upstream cannot be made to call any tool; name one.', 'tool_choice');
  return {
    tools: tools.map(({ name, description, parameters }) => ({
      type: 'function',
      function: { name, description, parameters: parameters ?? { type: 'object', properties: {} } },
    })),
    ...(choice?.mode === 'none' ? { tool_choice: 'none' } : {}),
    ...(choice?.mode === 'named' ? { tool_choice: { type: 'function', function: { name: choice.name } } } : {}),
    parallel_tool_calls: parallel,
  };
};

const SAME = ['temperature', 'top_p', 'top_k', 'seed', 'presence_penalty', 'repetition_penalty'] as const;
const THEIRS = ['enable_thinking', 'thinking_budget', 'enable_search', 'response_format'] as const;

/**
 * A chat request as one of DashScope’s own. What is DashScope’s and stands in the request (`enable_thinking`, `thinking_budget`, `enable_search`) is passed on.
 *
 * Left out: `logprobs`, `logit_bias`, `frequency_penalty`, `user`, `store`, `metadata`, `reasoning_effort` but for `none`, thoughts of earlier turns. Refused by
 * name: more than one answer, audio, files, a tool that must be called but is not named.
 */
export const dashscopeChatBody = (request: ChatRequest, upstreamModel: string, loweredOutput: number | null): Json | Refusal => {
  const beyond = beyondOneText(request);
  if (beyond !== null) return beyond;
  const turns = turnsOf(request.messages);
  if (isUnsayable(turns)) return turns;
  const tools = toolMembers(request);
  if (isUnsayable(tools)) return tools;
  const asList = isMultimodal(request, upstreamModel);
  const messages: Json[] = [];
  for (const [index, turn] of turns.entries()) {
    const message = messageOf(turn, asList, `messages.${index}`);
    if (isUnsayable(message)) return message;
    messages.push(message);
  }
  const parameters: Record<string, unknown> = { result_format: 'message', ...tools };
  if (request.stream === true) parameters['incremental_output'] = true;
  for (const name of SAME) if (typeof request[name] === 'number') parameters[name] = request[name];
  for (const name of THEIRS) if (request[name] !== undefined && request[name] !== null) parameters[name] = request[name];
  if (request['reasoning_effort'] === 'none') parameters['enable_thinking'] = false;
  const limit = outputLimitOf(request, loweredOutput);
  if (limit !== null) parameters['max_tokens'] = limit;
  const stops = stopsOf(request['stop']);
  if (stops.length > 0) parameters['stop'] = stops;
  return { model: upstreamModel, input: { messages }, parameters };
};
