import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { outputLimitField } from '../../relay/output-limit-field.ts';

type Json = Readonly<Record<string, unknown>>;

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** How the base64 of pictures begins; clients of Ollama send nothing but that. */
const BEGINNINGS: readonly (readonly [beginning: string, type: string])[] = [
  ['/9j/', 'jpeg'],
  ['R0lGOD', 'gif'],
  ['UklGR', 'webp'],
];

const imagePart = (data: unknown): Json => {
  const text = textOf(data);
  const type = BEGINNINGS.find(([beginning]) => text.startsWith(beginning))?.[1] ?? 'png';
  return { type: 'image_url', image_url: { url: `data:image/${type};base64,${text}` } };
};

const saidWith = (text: unknown, images: unknown): unknown => {
  const pictures = list(images);
  if (pictures.length === 0) return textOf(text);
  return [...(textOf(text) === '' ? [] : [{ type: 'text', text }]), ...pictures.map(imagePart)];
};

interface OpenCall {
  readonly id: string;
  readonly name: string;
}

/** Calls have no ids in older clients: a result belongs to the earliest call of its name that has none yet. */
class Conversation {
  readonly said: Json[] = [];
  #calls = 0;
  #open: OpenCall[] = [];

  add(message: Json): void {
    const { role, content, images, tool_calls: calls } = message;
    if (role === 'tool') return this.#result(message);
    if (role !== 'assistant') return void this.said.push({ role, content: saidWith(content, images) });
    const made = list(calls).flatMap((call) => (isRecord(call) && isRecord(call['function']) ? [this.#call(call, call['function'])] : []));
    const text = textOf(content);
    if (text !== '' || made.length > 0)
      this.said.push({ role, content: text === '' && made.length > 0 ? null : text, ...(made.length === 0 ? {} : { tool_calls: made }) });
  }

  #call(call: Json, { name, arguments: given }: Json): Json {
    const id = textOf(call['id']) || `call_${this.#calls}`;
    this.#calls++;
    this.#open.push({ id, name: textOf(name) });
    return { id, type: 'function', function: { name, arguments: typeof given === 'string' ? given : JSON.stringify(given ?? {}) } };
  }

  #result({ content, tool_call_id: given, tool_name: name }: Json): void {
    const known = this.#open.find(({ id }) => id === given) ?? this.#open.find((open) => open.name === name) ?? this.#open[0];
    this.#open = this.#open.filter((open) => open !== known);
    this.said.push({ role: 'tool', tool_call_id: known?.id ?? textOf(given), content: textOf(content) });
  }
}

const formatMember = (format: unknown): Json => {
  if (format === 'json') return { response_format: { type: 'json_object' } };
  return isRecord(format) ? { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format } } } : {};
};

const SAME = ['temperature', 'top_p', 'seed', 'frequency_penalty', 'presence_penalty', 'stop'] as const;

const optionMembers = (model: string, options: unknown): Json => {
  if (!isRecord(options)) return {};
  const said: Record<string, unknown> = {};
  for (const name of SAME) if (options[name] !== undefined && options[name] !== null) said[name] = options[name];
  const limit = options['num_predict'];
  // Below zero it means no limit.
  if (typeof limit === 'number' && limit > 0) said[outputLimitField(model)] = limit;
  return said;
};

const asked = (request: Json, messages: readonly Json[]): Json => {
  const { think, tools } = request;
  const model = textOf(request['model']);
  return {
    model,
    messages,
    ...(list(tools).length === 0 ? {} : { tools }),
    ...formatMember(request['format']),
    ...optionMembers(model, request['options']),
    ...(typeof think === 'string' ? { reasoning_effort: think } : {}),
    // Streams are what Ollama gives unless told otherwise.
    ...(request['stream'] === false ? {} : { stream: true, stream_options: { include_usage: true } }),
  };
};

/**
 * A request of Ollama's chat as one of OpenAI's chat completions.
 *
 * Left out: `keep_alive`, `think` as yes or no, thoughts of earlier turns, and all options that are not OpenAI's (`top_k`, `num_ctx`, …).
 */
export const chatFromOllama = (request: Json): Json => {
  const conversation = new Conversation();
  for (const message of list(request['messages'])) if (isRecord(message)) conversation.add(message);
  return asked(request, conversation.said);
};

/** A prompt of Ollama's as a chat of one turn. What is told to a model without its template cannot be told to others. */
export const chatFromPrompt = (request: Json): Json | Refusal => {
  for (const name of ['suffix', 'template', 'context'])
    if (list(request[name]).length > 0 || textOf(request[name]) !== '') return fault('cannot be passed on.', name);
  if (request['raw'] === true) return fault('cannot be passed on.', 'raw');
  const system = textOf(request['system']);
  return asked(request, [
    ...(system === '' ? [] : [{ role: 'system', content: system }]),
    { role: 'user', content: saidWith(request['prompt'], request['images']) },
  ]);
};

/** A request of Ollama's embeddings as one of OpenAI's. */
export const embeddingsFromOllama = ({ model, input, dimensions }: Json): Json => ({
  model,
  input,
  ...(typeof dimensions === 'number' ? { dimensions } : {}),
});
