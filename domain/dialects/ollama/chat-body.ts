import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { answerFormatOf, type AnswerFormat } from '../chat/answer-format.ts';
import { outputLimitOf } from '../chat/output-limit.ts';
import { toolsOf, type SaidTools } from '../chat/tools.ts';
import { turnsOf, type SaidPart, type Turn } from '../chat/turns.ts';

type Json = Readonly<Record<string, unknown>>;

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const isFault = (value: object): value is Refusal => 'refused' in value;

const textIn = (parts: readonly SaidPart[]): string => parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');

const imagesIn = (parts: readonly SaidPart[], param: string): readonly string[] | Refusal => {
  const images: string[] = [];
  for (const part of parts) {
    if (part.kind === 'text') continue;
    if (part.kind !== 'image') return fault(`${part.kind === 'audio' ? 'audio' : 'files'} cannot be passed on to this model.`, param);
    if ('url' in part.source) return fault('send images as data URLs: this upstream fetches none.', param);
    images.push(part.source.data);
  }
  return images;
};

/** A result of a tool is told with the tool's name; OpenAI's form has only the id of the call. */
const messageOf = (turn: Turn, names: ReadonlyMap<string, string>, param: string): Json | Refusal => {
  switch (turn.role) {
    case 'system':
      return { role: 'system', content: textIn(turn.parts) };
    case 'user':
    case 'tool': {
      const images = imagesIn(turn.parts, param);
      if (isFault(images)) return images;
      const name = turn.role === 'tool' ? names.get(turn.callId) : undefined;
      return {
        role: turn.role,
        content: textIn(turn.parts),
        ...(images.length === 0 ? {} : { images }),
        ...(turn.role === 'tool' ? { tool_call_id: turn.callId } : {}),
        ...(name === undefined ? {} : { tool_name: name }),
      };
    }
    case 'assistant': {
      const calls = turn.calls.map(({ id, name, arguments: given }, index) => ({ id, function: { index, name, arguments: given } }));
      return { role: 'assistant', content: textIn(turn.parts), ...(calls.length === 0 ? {} : { tool_calls: calls }) };
    }
  }
};

const toolMembers = ({ tools, choice }: SaidTools): Json | Refusal => {
  if (choice?.mode === 'required' || choice?.mode === 'named') return fault('this upstream cannot be made to call a tool.', 'tool_choice');
  if (tools.length === 0 || choice?.mode === 'none') return {};
  return {
    tools: tools.map(({ name, description, parameters }) => ({
      type: 'function',
      function: { name, description, parameters: parameters ?? { type: 'object', properties: {} } },
    })),
  };
};

const formatMember = (format: AnswerFormat): Json =>
  format.kind === 'text' ? {} : { format: format.kind === 'json' ? 'json' : format.schema };

const EFFORTS: ReadonlyMap<unknown, boolean | string> = new Map<unknown, boolean | string>([
  ['none', false],
  ['minimal', 'low'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'max'],
  ['max', 'max'],
]);

const SAMPLING = ['temperature', 'top_p', 'top_k', 'min_p', 'seed', 'frequency_penalty', 'presence_penalty'] as const;

const optionsOf = (request: ChatRequest, limit: number | null): Json => {
  const options: Record<string, unknown> = {};
  for (const name of SAMPLING) if (typeof request[name] === 'number') options[name] = request[name];
  const { stop } = request;
  const stops = (Array.isArray(stop) ? (stop as readonly unknown[]) : [stop]).filter((one) => typeof one === 'string' && one !== '');
  if (stops.length > 0) options['stop'] = stops;
  if (limit !== null) options['num_predict'] = limit;
  return Object.keys(options).length === 0 ? {} : { options };
};

/**
 * A chat request as one of Ollama's own. `reasoning_effort` becomes `think`, which models that cannot think refuse.
 *
 * Left out: `logprobs`, `logit_bias`, `user`, `store`, `metadata`, names of speakers, thoughts of earlier turns. Refused by name: more than one
 * answer, a tool that must be called, audio, files, images by address.
 */
export const ollamaChatBody = (request: ChatRequest, upstreamModel: string, loweredOutput: number | null): Json | Refusal => {
  if ((request.n ?? 1) > 1) return fault('this model gives one answer at a time.', 'n');
  if (request.modalities?.some((modality) => modality !== 'text') === true) return fault('this model answers in text only.', 'modalities');
  const turns = turnsOf(request.messages);
  if (isFault(turns)) return turns;
  const said = toolsOf(request);
  if (isFault(said)) return said;
  const tools = toolMembers(said);
  if (isFault(tools)) return tools;
  const names = new Map(turns.flatMap((turn) => (turn.role === 'assistant' ? turn.calls.map(({ id, name }) => [id, name] as const) : [])));
  const messages: Json[] = [];
  for (const [index, turn] of turns.entries()) {
    const message = messageOf(turn, names, `messages.${index}`);
    if (isFault(message)) return message;
    messages.push(message);
  }
  const think = EFFORTS.get(request['reasoning_effort']);
  return {
    model: upstreamModel,
    messages,
    // Streams are what it gives unless told otherwise.
    stream: request.stream === true,
    ...tools,
    ...formatMember(answerFormatOf(request['response_format'])),
    ...optionsOf(request, outputLimitOf(request, loweredOutput)),
    ...(think === undefined ? {} : { think }),
  };
};
