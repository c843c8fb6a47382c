import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { callArguments } from '../call-arguments.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { reasoningDetailsOf, type ReasoningDetail } from './reasoning-details.ts';

type Json = Readonly<Record<string, unknown>>;

/** What to keep in a provider's cache up to here, in Anthropic's words. */
export type CacheHint = Json;

export interface TextPart {
  readonly kind: 'text';
  readonly text: string;
  readonly cache: CacheHint | null;
}

/** A part of what a user, or a tool, said. */
export type SaidPart =
  | TextPart
  | {
      readonly kind: 'image';
      readonly source: { readonly type: string; readonly data: string } | { readonly url: string };
      readonly cache: CacheHint | null;
    }
  | { readonly kind: 'audio'; readonly format: string; readonly data: string }
  | { readonly kind: 'file'; readonly name: string; readonly type: string; readonly data: string; readonly cache: CacheHint | null };

export interface SaidCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Json;
  /** Gemini's, where the call came from there. */
  readonly signature: string | null;
}

/** A message of a chat request, read. */
export type Turn =
  | { readonly role: 'system'; readonly parts: readonly TextPart[] }
  | { readonly role: 'user'; readonly parts: readonly SaidPart[] }
  | {
      readonly role: 'assistant';
      readonly parts: readonly TextPart[];
      readonly reasoning: readonly ReasoningDetail[];
      readonly calls: readonly SaidCall[];
    }
  | { readonly role: 'tool'; readonly callId: string; readonly parts: readonly SaidPart[] };

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const isFault = (value: object): value is Refusal => 'refused' in value;

const DATA_URL = /^data:([^;,]*)(?:;[^;,]*)*;base64,/i;

/** The type and the base64 of a `data:` URL; `null` for what is none. */
const dataUrl = (url: string): { readonly type: string; readonly data: string } | null => {
  const match = DATA_URL.exec(url.slice(0, 200));
  return match === null ? null : { type: (match[1] ?? '').toLowerCase(), data: url.slice(match[0].length) };
};

/** A breakpoint of OpenAI's own is the same wish. */
const cacheOf = (part: Json): CacheHint | null => {
  if (isRecord(part['cache_control'])) return part['cache_control'];
  return isRecord(part['prompt_cache_breakpoint']) ? { type: 'ephemeral' } : null;
};

const filePart = (part: Json, param: string): SaidPart | Refusal => {
  const file = isRecord(part['file']) ? part['file'] : {};
  const given = textOf(file['file_data']);
  if (given === '') return fault('only files whose data are in the request can be passed on.', param);
  const read = dataUrl(given);
  // What is no data URL is bare base64, which OpenAI takes to be a PDF.
  const { type, data } = read ?? { type: 'application/pdf', data: given };
  return { kind: 'file', name: textOf(file['filename']), type, data, cache: cacheOf(part) };
};

const saidPart = (part: unknown, param: string): SaidPart | Refusal => {
  if (typeof part === 'string') return { kind: 'text', text: part, cache: null };
  if (!isRecord(part)) return fault('is not a part of a message.', param);
  switch (part['type']) {
    case 'text':
      return { kind: 'text', text: textOf(part['text']), cache: cacheOf(part) };
    case 'refusal':
      return { kind: 'text', text: textOf(part['refusal']), cache: null };
    case 'image_url': {
      const image = part['image_url'];
      const url = typeof image === 'string' ? image : isRecord(image) ? textOf(image['url']) : '';
      const source = dataUrl(url);
      if (source === null && !/^https?:\/\//i.test(url)) return fault('an image is a data URL or an HTTP address.', param);
      return { kind: 'image', source: source ?? { url }, cache: cacheOf(part) };
    }
    case 'input_audio': {
      const audio = isRecord(part['input_audio']) ? part['input_audio'] : {};
      return { kind: 'audio', format: textOf(audio['format']), data: textOf(audio['data']) };
    }
    case 'file':
      return filePart(part, param);
    default:
      return fault(`parts of the type ${textOf(part['type']).slice(0, 60)} cannot be passed on.`, param);
  }
};

const partsOf = (message: Json, param: string): readonly SaidPart[] | Refusal => {
  const { content } = message;
  if (content === undefined || content === null || content === '') return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content, cache: cacheOf(message) }];
  if (!Array.isArray(content)) return fault('is neither a text nor a list of parts.', `${param}.content`);
  const parts: SaidPart[] = [];
  for (const [index, one] of content.entries()) {
    const part = saidPart(one, `${param}.content.${index}`);
    if (isFault(part)) return part;
    parts.push(part);
  }
  return parts;
};

const textsOf = (parts: readonly SaidPart[], param: string): readonly TextPart[] | Refusal => {
  const texts: TextPart[] = [];
  for (const part of parts) {
    if (part.kind !== 'text') return fault('only texts can stand here.', param);
    texts.push(part);
  }
  return texts;
};

const callsOf = (message: Json, param: string): readonly SaidCall[] | Refusal => {
  const calls: SaidCall[] = [];
  const given: readonly unknown[] = Array.isArray(message['tool_calls']) ? message['tool_calls'] : [];
  for (const [index, call] of given.entries()) {
    const named = isRecord(call) && isRecord(call['function']) ? call['function'] : null;
    if (!isRecord(call) || named === null) return fault('only calls of functions can be passed on.', `${param}.tool_calls.${index}`);
    const extra = isRecord(call['extra_content']) && isRecord(call['extra_content']['google']) ? call['extra_content']['google'] : {};
    const signature = textOf(extra['thought_signature']);
    calls.push({
      id: textOf(call['id']),
      name: textOf(named['name']),
      arguments: callArguments(textOf(named['arguments'])),
      signature: signature === '' ? null : signature,
    });
  }
  return calls;
};

const assistantTurn = (message: Json, param: string): Turn | Refusal => {
  if (isRecord(message['function_call'])) return fault('is no longer in use; send tool_calls.', `${param}.function_call`);
  if (isRecord(message['audio'])) return fault('an earlier spoken answer cannot be passed on.', `${param}.audio`);
  const said = partsOf(message, param);
  if (isFault(said)) return said;
  const parts = textsOf(said, `${param}.content`);
  if (isFault(parts)) return parts;
  const calls = callsOf(message, param);
  if (isFault(calls)) return calls;
  const refusal = textOf(message['refusal']);
  return {
    role: 'assistant',
    parts: refusal === '' ? parts : [...parts, { kind: 'text', text: refusal, cache: null }],
    reasoning: reasoningDetailsOf(message['reasoning_details']),
    calls,
  };
};

const turnOf = (message: unknown, param: string): Turn | Refusal => {
  if (!isRecord(message)) return fault('is not a message.', param);
  switch (message['role']) {
    case 'system':
    case 'developer': {
      const said = partsOf(message, param);
      if (isFault(said)) return said;
      const parts = textsOf(said, `${param}.content`);
      return isFault(parts) ? parts : { role: 'system', parts };
    }
    case 'user': {
      const parts = partsOf(message, param);
      return isFault(parts) ? parts : { role: 'user', parts };
    }
    case 'assistant':
      return assistantTurn(message, param);
    case 'tool': {
      const parts = partsOf(message, param);
      return isFault(parts) ? parts : { role: 'tool', callId: textOf(message['tool_call_id']), parts };
    }
    default:
      return fault('a role is system, developer, user, assistant or tool.', `${param}.role`);
  }
};

/** The messages of a chat request, for whoever says them in another format; or what of them cannot be said elsewhere. */
export const turnsOf = (messages: readonly unknown[]): readonly Turn[] | Refusal => {
  const turns: Turn[] = [];
  for (const [index, message] of messages.entries()) {
    const turn = turnOf(message, `messages.${index}`);
    if (isFault(turn)) return turn;
    turns.push(turn);
  }
  return turns;
};
