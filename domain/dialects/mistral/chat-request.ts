import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** What only Mistral's models know, and what has another name elsewhere. */
const LEFT_OUT: ReadonlySet<string> = new Set(['safe_prompt', 'prompt_mode', 'random_seed']);

/** Mistral's clients send an image's address bare. Thoughts of earlier turns are for Mistral only. */
const partOf = (part: unknown): readonly unknown[] => {
  if (!isRecord(part)) return [part];
  if (part['type'] === 'thinking') return [];
  return part['type'] === 'image_url' && typeof part['image_url'] === 'string'
    ? [{ ...part, image_url: { url: part['image_url'] } }]
    : [part];
};

const callOf = (call: unknown): unknown => {
  if (!isRecord(call) || !isRecord(call['function'])) return call;
  const { arguments: given } = call['function'];
  const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
  const { index: _index, ...kept } = call;
  return { ...kept, type: 'function', function: { name: call['function']['name'], arguments: text } };
};

const messageOf = (message: unknown): unknown => {
  if (!isRecord(message)) return message;
  const { prefix: _prefix, content, tool_calls: calls, ...kept } = message;
  // A name belongs to a speaker there; Mistral's clients tell the tool's in it.
  const { name: _name, ...result } = kept;
  return {
    ...(message['role'] === 'tool' ? result : kept),
    ...(content === undefined ? {} : { content: Array.isArray(content) ? (content as readonly unknown[]).flatMap(partOf) : content }),
    ...(Array.isArray(calls) ? { tool_calls: (calls as readonly unknown[]).map(callOf) } : {}),
  };
};

/** A request of Mistral's chat as one of OpenAI's, from which it differs in names and in what it does not put into objects. */
export const chatFromMistral = (request: Json): Json => {
  const chat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(request)) if (!LEFT_OUT.has(name)) chat[name] = value;
  if (typeof request['random_seed'] === 'number') chat['seed'] = request['random_seed'];
  if (request['tool_choice'] === 'any') chat['tool_choice'] = 'required';
  if (Array.isArray(request['messages'])) chat['messages'] = (request['messages'] as readonly unknown[]).map(messageOf);
  return chat;
};

/** A request of Mistral's embeddings as one of OpenAI's. */
export const embeddingsFromMistral = ({ inputs, output_dimension: dimensions, output_dtype: _type, ...rest }: Json): Json => ({
  ...(inputs === undefined ? {} : { input: inputs }),
  ...(dimensions === undefined || dimensions === null ? {} : { dimensions }),
  ...rest,
});
