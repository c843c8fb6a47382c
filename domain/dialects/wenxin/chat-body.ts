import type { Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { beyondOneText, isUnsayable, stopsOf, textIn, unsayable } from '../chat/bounds.ts';
import { outputLimitOf } from '../chat/output-limit.ts';
import { turnsOf } from '../chat/turns.ts';

type Json = Readonly<Record<string, unknown>>;

/** Names that models have in addresses, where it is not their own in small letters: Baidu’s published table. */
const ADDRESSES: ReadonlyMap<string, string> = new Map([
  ['ernie-4.0-8k', 'completions_pro'],
  ['ernie-4.0', 'completions_pro'],
  ['ernie-bot-4', 'completions_pro'],
  ['ernie-3.5-8k', 'completions'],
  ['ernie-bot', 'completions'],
  ['ernie-bot-turbo', 'eb-instant'],
  ['ernie-speed-8k', 'ernie_speed'],
  ['ernie-speed', 'ernie_speed'],
  ['bge-large-zh', 'bge_large_zh'],
  ['bge-large-en', 'bge_large_en'],
  ['tao-8k', 'tao_8k'],
]);

/** What stands for a model in an address. */
export const wenxinAddress = (model: string): string => {
  const name = model.toLowerCase();
  return ADDRESSES.get(name) ?? name;
};

/** What the format wants in `[0, 1]`, and not zero. */
const bounded = (value: unknown): number | null => (typeof value === 'number' ? Math.min(1, Math.max(0.01, value)) : null);

/** It takes no shorter ones. */
const LEAST_OUTPUT = 2;
const MOST_STOPS = 4;

/**
 * A chat request as one of wenxinworkshop’s. Turns have to alternate and to begin and end with the user’s: neighbours of one role are put together.
 *
 * Left out: `seed`, `logprobs`, `logit_bias`, `presence_penalty`, `frequency_penalty`, `store`, `metadata`, thoughts of earlier turns. Refused by name:
 * tools (its one call of a function at a time has no ids), pictures, audio, files, more than one answer, a conversation that the user does not end.
 */
export const wenxinChatBody = (request: ChatRequest, loweredOutput: number | null): Json | Refusal => {
  const beyond = beyondOneText(request);
  if (beyond !== null) return beyond;
  if (Array.isArray(request['tools']) && request['tools'].length > 0 && request['tool_choice'] !== 'none')
    return unsayable('this upstream calls no tools.', 'tools');
  const turns = turnsOf(request.messages);
  if (isUnsayable(turns)) return turns;
  const system: string[] = [];
  const messages: { role: string; content: string }[] = [];
  for (const [index, turn] of turns.entries()) {
    if (turn.parts.some(({ kind }) => kind !== 'text')) return unsayable('this model reads texts only.', `messages.${index}`);
    if (turn.role === 'tool' || (turn.role === 'assistant' && turn.calls.length > 0))
      return unsayable('this upstream calls no tools.', `messages.${index}`);
    const text = textIn(turn.parts);
    const last = messages.at(-1);
    if (turn.role === 'system') system.push(text);
    else if (last?.role === turn.role) last.content += `\n\n${text}`;
    else messages.push({ role: turn.role, content: text });
  }
  if (messages[0]?.role === 'assistant') messages.unshift({ role: 'user', content: '...' });
  if (messages.at(-1)?.role !== 'user') return unsayable('the last turn has to be the user’s.', 'messages');
  const limit = outputLimitOf(request, loweredOutput);
  const [temperature, topP, stops] = [bounded(request['temperature']), bounded(request['top_p']), stopsOf(request['stop'])];
  const { user } = request;
  return {
    messages,
    stream: request.stream === true,
    ...(system.length === 0 ? {} : { system: system.join('\n\n') }),
    ...(temperature === null ? {} : { temperature }),
    ...(topP === null ? {} : { top_p: topP }),
    ...(stops.length === 0 ? {} : { stop: stops.slice(0, MOST_STOPS) }),
    ...(limit === null ? {} : { max_output_tokens: Math.max(LEAST_OUTPUT, limit) }),
    ...(typeof user === 'string' && user !== '' ? { user_id: user } : {}),
  };
};
