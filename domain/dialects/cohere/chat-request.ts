import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { outputLimitField } from '../../relay/output-limit-field.ts';

type Json = Readonly<Record<string, unknown>>;

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const isFault = (value: object): value is Refusal => 'refused' in value;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** OpenAI's format takes no more. */
const MOST_STOPS = 4;

/** What a document says: a text, or an object of texts. */
const documentText = (document: unknown): string => {
  if (typeof document === 'string') return document;
  const data = isRecord(document) ? (document['data'] ?? document) : null;
  return typeof data === 'string' ? data : JSON.stringify(data);
};

const partOf = (part: unknown, param: string): readonly Json[] | Refusal => {
  if (!isRecord(part)) return fault('is not a part of a message.', param);
  switch (part['type']) {
    case 'text':
    case 'image_url':
      return [part];
    case 'document':
      return [{ type: 'text', text: documentText(part['document']) }];
    case 'thinking':
      return [];
    default:
      return fault(`parts of the type ${textOf(part['type']).slice(0, 60)} cannot be passed on.`, param);
  }
};

const contentOf = (content: unknown, param: string): string | readonly Json[] | Refusal => {
  if (!Array.isArray(content)) return textOf(content);
  const parts: Json[] = [];
  for (const [index, one] of content.entries()) {
    const said = partOf(one, `${param}.${index}`);
    if (isFault(said)) return said;
    parts.push(...said);
  }
  return parts.some(({ type }) => type !== 'text') ? parts : parts.map(({ text }) => textOf(text)).join('');
};

const messageOf = (message: unknown, param: string): Json | Refusal => {
  if (!isRecord(message)) return fault('is not a message.', param);
  const { role, tool_calls: calls, tool_call_id: callId } = message;
  const content = contentOf(message['content'], `${param}.content`);
  if (typeof content === 'object' && isFault(content)) return content;
  if (role === 'tool') return { role, tool_call_id: callId, content };
  if (role !== 'assistant') return { role, content };
  return Array.isArray(calls) && calls.length > 0
    ? { role, content: content.length === 0 ? null : content, tool_calls: calls }
    : { role, content };
};

const formatMember = (format: unknown): Json => {
  if (!isRecord(format) || format['type'] !== 'json_object') return {};
  const schema = format['json_schema'] ?? format['schema'];
  return {
    response_format: isRecord(schema) ? { type: 'json_schema', json_schema: { name: 'answer', schema } } : { type: 'json_object' },
  };
};

const toolMembers = ({ tools, tool_choice: choice, strict_tools: strict }: Json): Json => {
  const described = list(tools).map((tool) =>
    strict === true && isRecord(tool) && isRecord(tool['function']) ? { ...tool, function: { ...tool['function'], strict: true } } : tool,
  );
  if (described.length === 0) return {};
  return {
    tools: described,
    ...(choice === 'REQUIRED' ? { tool_choice: 'required' } : choice === 'NONE' ? { tool_choice: 'none' } : {}),
  };
};

const SAME = ['temperature', 'seed', 'frequency_penalty', 'presence_penalty'] as const;

/**
 * A request of Cohere's chat (version 2) as one of OpenAI's chat completions. Documents are told in a system message.
 *
 * Left out: `k`, `thinking`, `citation_options`, `safety_mode`, `logprobs`, `priority`, and of earlier turns plans, thoughts and citations.
 */
export const chatFromCohere = (request: Json): Json | Refusal => {
  const messages: Json[] = [];
  const documents = list(request['documents']).map(documentText);
  if (documents.length > 0) messages.push({ role: 'system', content: `Documents:\n\n${documents.join('\n\n')}` });
  for (const [index, one] of list(request['messages']).entries()) {
    const message = messageOf(one, `messages.${index}`);
    if (isFault(message)) return message;
    messages.push(message);
  }
  const { model, stream, max_tokens: limit, p } = request;
  const stops = list(request['stop_sequences']).filter((one) => typeof one === 'string' && one !== '');
  const said: Record<string, unknown> = { model, messages, ...toolMembers(request), ...formatMember(request['response_format']) };
  for (const name of SAME) if (request[name] !== undefined && request[name] !== null) said[name] = request[name];
  if (p !== undefined && p !== null) said['top_p'] = p;
  if (limit !== undefined && limit !== null) said[outputLimitField(textOf(model))] = limit;
  if (stops.length > 0) said['stop'] = stops.slice(0, MOST_STOPS);
  if (stream === true) Object.assign(said, { stream: true, stream_options: { include_usage: true } });
  return said;
};

/** What is said of vectors that are for documents, which they are unless something else is said. */
const FOR_DOCUMENTS = 'search_document';

/** A request of Cohere's embeddings as one of OpenAI's. What the vectors are for is passed on where it is not documents. */
export const embeddingsFromCohere = (request: Json): Json | Refusal => {
  const { model, texts, inputs, input_type: kind, embedding_types: types, output_dimension: dimensions } = request;
  if (list(types).some((type) => type !== 'float')) return fault('only float can be passed on.', 'embedding_types');
  if (list(request['images']).length > 0) return fault('only texts can be passed on.', 'images');
  const input: unknown[] = [...list(texts)];
  for (const [index, one] of list(inputs).entries()) {
    const said = contentOf(isRecord(one) ? one['content'] : null, `inputs.${index}.content`);
    if (typeof said !== 'string') return isFault(said) ? said : fault('only texts can be passed on.', `inputs.${index}`);
    input.push(said);
  }
  return {
    model,
    input,
    ...(typeof kind === 'string' && kind !== FOR_DOCUMENTS ? { input_type: kind } : {}),
    ...(typeof dimensions === 'number' ? { dimensions } : {}),
  };
};
