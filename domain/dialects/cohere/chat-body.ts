import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { answerFormatOf, type AnswerFormat } from '../chat/answer-format.ts';
import { outputLimitOf } from '../chat/output-limit.ts';
import { toolsOf, type SaidTools } from '../chat/tools.ts';
import { turnsOf, type SaidPart, type Turn } from '../chat/turns.ts';

type Json = Readonly<Record<string, unknown>>;

const MOST_STOPS = 5;

/** Tokens to think with. Nobody publishes what lies behind OpenAI's levels. */
const BUDGETS: ReadonlyMap<unknown, number> = new Map([
  ['minimal', 1_024],
  ['low', 1_024],
  ['medium', 2_048],
  ['high', 4_096],
  ['xhigh', 8_192],
]);

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const isFault = (value: object): value is Refusal => 'refused' in value;

const textIn = (parts: readonly SaidPart[]): string => parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');

const userContent = (parts: readonly SaidPart[], param: string): string | readonly Json[] | Refusal => {
  if (parts.every(({ kind }) => kind === 'text')) return textIn(parts);
  const blocks: Json[] = [];
  for (const part of parts) {
    if (part.kind === 'text') blocks.push({ type: 'text', text: part.text });
    else if (part.kind === 'image') {
      const url = 'url' in part.source ? part.source.url : `data:${part.source.type};base64,${part.source.data}`;
      blocks.push({ type: 'image_url', image_url: { url } });
    } else return fault(`${part.kind === 'audio' ? 'audio' : 'files'} cannot be passed on to this model.`, param);
  }
  return blocks;
};

const messageOf = (turn: Turn, param: string): Json | Refusal => {
  switch (turn.role) {
    case 'system':
      return { role: 'system', content: textIn(turn.parts) };
    case 'user': {
      const content = userContent(turn.parts, param);
      return typeof content === 'object' && isFault(content) ? content : { role: 'user', content };
    }
    case 'assistant': {
      const content = textIn(turn.parts);
      const calls = turn.calls.map(({ id, name, arguments: given }) => ({
        id,
        type: 'function',
        function: { name, arguments: JSON.stringify(given) },
      }));
      return {
        role: 'assistant',
        ...(content === '' && calls.length > 0 ? {} : { content }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      };
    }
    case 'tool':
      return turn.parts.every(({ kind }) => kind === 'text')
        ? { role: 'tool', tool_call_id: turn.callId, content: textIn(turn.parts) }
        : fault('results of tools are texts to this model.', param);
  }
};

const toolMembers = ({ tools, choice }: SaidTools): Json => {
  const named = choice?.mode === 'named' ? choice.name : null;
  const offered = named === null ? tools : tools.filter(({ name }) => name === named);
  if (offered.length === 0) return {};
  return {
    tools: offered.map(({ name, description, parameters }) => ({
      type: 'function',
      function: { name, ...(description === '' ? {} : { description }), parameters: parameters ?? { type: 'object', properties: {} } },
    })),
    ...(offered.every(({ strict }) => strict) ? { strict_tools: true } : {}),
    ...(choice?.mode === 'none'
      ? { tool_choice: 'NONE' }
      : choice?.mode === 'required' || named !== null
        ? { tool_choice: 'REQUIRED' }
        : {}),
  };
};

const formatMember = (format: AnswerFormat): Json => {
  switch (format.kind) {
    case 'text':
      return {};
    case 'json':
      return { response_format: { type: 'json_object' } };
    case 'schema':
      return { response_format: { type: 'json_object', json_schema: format.schema } };
  }
};

const bounded = (name: string, value: unknown, most: number): Json =>
  typeof value === 'number' ? { [name]: Math.min(most, Math.max(0, value)) } : {};

const thinkingOf = (effort: unknown): Json => {
  if (effort === 'none') return { thinking: { type: 'disabled' } };
  const budget = BUDGETS.get(effort);
  return budget === undefined ? {} : { thinking: { type: 'enabled', token_budget: budget } };
};

const stopsOf = (stop: unknown): Json => {
  const stops = (Array.isArray(stop) ? (stop as readonly unknown[]) : [stop]).filter((one) => typeof one === 'string' && one !== '');
  return stops.length === 0 ? {} : { stop_sequences: stops.slice(0, MOST_STOPS) };
};

/**
 * A chat request as one of Cohere's version 2.
 *
 * Left out: `logprobs`, `logit_bias`, `user`, `store`, `metadata`, names of speakers, thoughts of earlier turns. Held to Cohere's bounds: `temperature`
 * and the penalties (0 to 1), five stop sequences. Refused by name: more than one answer, audio, files, results of tools that are no texts.
 */
export const cohereChatBody = (request: ChatRequest, upstreamModel: string, loweredOutput: number | null): Json | Refusal => {
  if ((request.n ?? 1) > 1) return fault('this model gives one answer at a time.', 'n');
  if (request.modalities?.some((modality) => modality !== 'text') === true) return fault('this model answers in text only.', 'modalities');
  const turns = turnsOf(request.messages);
  if (isFault(turns)) return turns;
  const tools = toolsOf(request);
  if (isFault(tools)) return tools;
  const messages: Json[] = [];
  for (const [index, turn] of turns.entries()) {
    const message = messageOf(turn, `messages.${index}`);
    if (isFault(message)) return message;
    messages.push(message);
  }
  const limit = outputLimitOf(request, loweredOutput);
  const { seed, top_p: p, top_k: k } = request;
  return {
    model: upstreamModel,
    messages,
    stream: request.stream === true,
    ...toolMembers(tools),
    ...formatMember(answerFormatOf(request['response_format'])),
    ...(limit === null ? {} : { max_tokens: limit }),
    ...bounded('temperature', request['temperature'], 1),
    ...bounded('frequency_penalty', request['frequency_penalty'], 1),
    ...bounded('presence_penalty', request['presence_penalty'], 1),
    ...(typeof p === 'number' ? { p: Math.min(0.99, Math.max(0.01, p)) } : {}),
    ...(typeof k === 'number' ? { k } : {}),
    ...(typeof seed === 'number' ? { seed } : {}),
    ...stopsOf(request['stop']),
    ...thinkingOf(request['reasoning_effort']),
  };
};
