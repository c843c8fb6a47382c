import type { Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { beyondOneText, isUnsayable, textIn, unsayable } from '../chat/bounds.ts';
import { outputLimitOf } from '../chat/output-limit.ts';
import { toolsOf } from '../chat/tools.ts';
import { turnsOf, type Turn } from '../chat/turns.ts';
import type { SparkModel } from './models.ts';

type Json = Readonly<Record<string, unknown>>;

/** No user is named at greater length. */
const MOST_USER = 32;
const LEAST_TEMPERATURE = 0.01;

const functionsOf = (request: ChatRequest, model: SparkModel): readonly Json[] | Refusal => {
  const said = toolsOf(request);
  if (isUnsayable(said)) return said;
  const { tools, choice } = said;
  if (tools.length === 0 || choice?.mode === 'none') return [];
  if (!model.callsTools) return unsayable('this model calls no tools.', 'tools');
  if (choice?.mode === 'required' || choice?.mode === 'named')
    return unsayable('this upstream cannot be made to call a tool.', 'tool_choice');
  return tools.map(({ name, description, parameters }) => ({
    name,
    description,
    parameters: parameters ?? { type: 'object', properties: {} },
  }));
};

/** What a turn says, in words: the format has none for earlier calls and what came of them. */
const wordsOf = (turn: Turn, names: ReadonlyMap<string, string>): string => {
  const text = textIn(turn.parts);
  if (turn.role === 'tool') return `${names.get(turn.callId) ?? 'The function'} returned: ${text}`;
  if (turn.role !== 'assistant' || turn.calls.length === 0) return text;
  const calls = turn.calls.map((call) => `I call ${call.name} with ${JSON.stringify(call.arguments)}.`);
  return [...(text === '' ? [] : [text]), ...calls].join('\n');
};

/**
 * A chat request as the message that Spark is sent; `header.app_id` is put in by whoever proves who asks. Turns have to alternate: neighbours of one role are
 * put together. Earlier calls of tools, and what came of them, are told in words.
 *
 * Left out: `top_p`, `seed`, `stop`, `logprobs`, `logit_bias`, penalties, `response_format`, `store`, `metadata`, `reasoning_effort`, thoughts of earlier
 * turns. Refused by name: pictures, audio, files, more than one answer, a tool that must be called, tools of models that call none.
 */
export const sparkChatBody = (request: ChatRequest, model: SparkModel, loweredOutput: number | null): Json | Refusal => {
  const beyond = beyondOneText(request);
  if (beyond !== null) return beyond;
  const turns = turnsOf(request.messages);
  if (isUnsayable(turns)) return turns;
  const functions = functionsOf(request, model);
  if ('refused' in functions) return functions;
  const names = new Map(turns.flatMap((turn) => (turn.role === 'assistant' ? turn.calls.map(({ id, name }) => [id, name] as const) : [])));
  const text: { role: string; content: string }[] = [];
  for (const [index, turn] of turns.entries()) {
    if (turn.parts.some(({ kind }) => kind !== 'text')) return unsayable('this model reads texts only.', `messages.${index}`);
    const role = turn.role === 'tool' ? 'user' : turn.role;
    const content = wordsOf(turn, names);
    const last = text.at(-1);
    if (last?.role === role) last.content += `\n\n${content}`;
    else text.push({ role, content });
  }
  const { user, temperature } = request;
  const limit = outputLimitOf(request, loweredOutput);
  return {
    header: typeof user === 'string' && user !== '' ? { uid: user.slice(0, MOST_USER) } : {},
    parameter: {
      chat: {
        domain: model.domain,
        ...(typeof temperature === 'number'
          ? { temperature: Math.min(model.mostTemperature, Math.max(LEAST_TEMPERATURE, temperature)) }
          : {}),
        ...(limit === null ? {} : { max_tokens: Math.max(1, Math.min(limit, model.mostOutput)) }),
      },
    },
    payload: {
      message: { text },
      ...(functions.length === 0 ? {} : { functions: { text: functions } }),
    },
  };
};
