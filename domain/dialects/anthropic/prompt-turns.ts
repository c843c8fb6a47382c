import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { CLAUDE_REASONING } from './claude-reasoning.ts';
import { Conversation, type ConversationRules, type Said } from '../chat/conversation.ts';
import type { CacheHint, SaidCall, SaidPart, TextPart, Turn } from '../chat/turns.ts';

type Json = Readonly<Record<string, unknown>>;

/** Said where a turn must be and nobody said anything. */
const SILENCE = '...';

/** Types of images that Anthropic reads. */
const IMAGES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

type Message = Said<'user' | 'assistant', Json>;

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const isFault = (value: object): value is Refusal => 'refused' in value;

const cached = (cache: CacheHint | null): Json => (cache === null ? {} : { cache_control: cache });

const textBlock = (text: string, cache: CacheHint | null): Json =>
  cache === null ? { type: 'text', text } : { type: 'text', text, cache_control: cache };

/** Anthropic's ids have letters, digits, `_` and `-`; others' may not. The same id always comes to the same. */
const callId = (id: string): string => id.replace(/[^a-zA-Z0-9_-]/g, '_');

const textOfBase64 = (data: string): string => new TextDecoder().decode(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)));

const fileBlock = ({ type, data, name, cache }: Extract<SaidPart, { kind: 'file' }>, param: string): Json | Refusal => {
  const title = name === '' ? {} : { title: name };
  if (type === 'application/pdf')
    return { type: 'document', source: { type: 'base64', media_type: type, data }, ...title, ...cached(cache) };
  if (type.startsWith('text/') || type === 'application/json') {
    try {
      return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: textOfBase64(data) }, ...title, ...cached(cache) };
    } catch {
      return fault('the file is not base64.', param);
    }
  }
  return fault(`files of the type ${type.slice(0, 60)} cannot be passed on; send PDF or text.`, param);
};

/** `null` for what says nothing: Anthropic refuses empty texts. */
const blockOf = (part: SaidPart, param: string): Json | Refusal | null => {
  switch (part.kind) {
    case 'text':
      return part.text === '' ? null : textBlock(part.text, part.cache);
    case 'image': {
      if ('url' in part.source) return { type: 'image', source: { type: 'url', url: part.source.url }, ...cached(part.cache) };
      const type = part.source.type === 'image/jpg' ? 'image/jpeg' : part.source.type;
      if (!IMAGES.has(type))
        return fault(`images of the type ${type.slice(0, 60)} cannot be passed on; send JPEG, PNG, GIF or WebP.`, param);
      return { type: 'image', source: { type: 'base64', media_type: type, data: part.source.data }, ...cached(part.cache) };
    }
    case 'audio':
      return fault('audio cannot be passed on to this model.', param);
    case 'file':
      return fileBlock(part, param);
  }
};

const blocksOf = (parts: readonly SaidPart[], param: string): Json[] | Refusal => {
  const blocks: Json[] = [];
  for (const part of parts) {
    const block = blockOf(part, param);
    if (block === null) continue;
    if (isFault(block)) return block;
    blocks.push(block);
  }
  return blocks;
};

const thoughts = (turn: Extract<Turn, { role: 'assistant' }>): readonly Json[] =>
  turn.reasoning.flatMap((detail): readonly Json[] => {
    if (detail.format !== CLAUDE_REASONING) return [];
    return detail.kind === 'text'
      ? [{ type: 'thinking', thinking: detail.text, signature: detail.signature }]
      : [{ type: 'redacted_thinking', data: detail.data }];
  });

/** What stands at the end of a result or a text that is a turn of its own, `cache_control` and all. */
const resultBlock = (id: string, parts: readonly SaidPart[], param: string): Json | Refusal => {
  const blocks = blocksOf(parts, param);
  if (isFault(blocks)) return blocks;
  const [only] = blocks;
  // A hint for the cache belongs to the result as a whole: nothing within it can be cached by itself.
  const cache = parts.findLast((part) => 'cache' in part && part.cache !== null);
  const hint = cache !== undefined && 'cache' in cache ? cached(cache.cache) : {};
  const bare = blocks.map(({ cache_control: _hint, ...block }) => block);
  const content = bare.length === 1 && only?.['type'] === 'text' ? only['text'] : bare;
  return { type: 'tool_result', tool_use_id: callId(id), ...(blocks.length === 0 ? {} : { content }), ...hint };
};

const RULES: ConversationRules<'user' | 'assistant', Json, SaidCall> = {
  user: 'user',
  assistant: 'assistant',
  missing: ({ id }) => ({ type: 'tool_result', tool_use_id: callId(id), content: 'There is no result.', is_error: true }),
  stray: ({ content }) =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? (content as readonly Json[]) : [],
};

const systemOf = (parts: readonly TextPart[]): Prompt['system'] => {
  const texts = parts.filter(({ text }) => text !== '');
  if (texts.length === 0) return null;
  if (texts.every(({ cache }) => cache === null)) return texts.map(({ text }) => text).join('\n\n');
  return texts.map(({ text, cache }) => textBlock(text, cache));
};

/** A text that is to be gone on with must not end in white space. */
const trimLast = (said: readonly Message[]): void => {
  const last = said.at(-1);
  const block = last?.role === 'assistant' ? last.content.at(-1) : undefined;
  if (last === undefined || block === undefined || typeof block['text'] !== 'string') return;
  const text = block['text'].trimEnd();
  if (text === '') last.content.pop();
  else last.content[last.content.length - 1] = { ...block, text };
};

const asMessage = ({ role, content }: Message): Json => {
  const [only] = content;
  const bare = content.length === 1 && only?.['type'] === 'text' && only['cache_control'] === undefined;
  return { role, content: bare ? only['text'] : content };
};

export interface Prompt {
  /** `null`: no system said anything. */
  readonly system: string | readonly Json[] | null;
  readonly messages: readonly Json[];
  /** Whether the model is in the middle of calling tools without the thoughts that led to it: it then cannot be asked to think. */
  readonly forgotThoughts: boolean;
  /** Names of tools that were called earlier. */
  readonly called: readonly string[];
}

/**
 * Turns of a chat request as Anthropic's `system` and `messages`. What systems said goes to the front, wherever it stood; results of tools
 * come right behind their calls, in the order of these, one that is missing as an error; neighbours of one role are one message.
 */
export const promptOfTurns = (turns: readonly Turn[], instructions: readonly string[]): Prompt | Refusal => {
  const system: TextPart[] = [];
  const conversation = new Conversation(RULES);
  const called = new Set<string>();
  let forgotThoughts = false;
  for (const [index, turn] of turns.entries()) {
    const param = `messages.${index}`;
    switch (turn.role) {
      case 'system':
        system.push(...turn.parts);
        break;
      case 'user': {
        const blocks = blocksOf(turn.parts, param);
        if (isFault(blocks)) return blocks;
        forgotThoughts = false;
        conversation.fromUser(blocks);
        break;
      }
      case 'assistant': {
        const thinking = thoughts(turn);
        const texts = blocksOf(turn.parts, param);
        if (isFault(texts)) return texts;
        const calls = turn.calls.map(({ id, name, arguments: input }): Json => ({ type: 'tool_use', id: callId(id), name, input }));
        for (const { name } of turn.calls) called.add(name);
        if (calls.length > 0 && thinking.length === 0) forgotThoughts = true;
        conversation.fromAssistant([...thinking, ...texts, ...calls], turn.calls);
        break;
      }
      case 'tool': {
        const block = resultBlock(turn.callId, turn.parts, param);
        if (isFault(block)) return block;
        conversation.result(turn.callId, block);
      }
    }
  }
  conversation.end();
  const { said } = conversation;
  trimLast(said);
  const messages = said.filter(({ content }) => content.length > 0).map(asMessage);
  if (messages[0]?.['role'] !== 'user') messages.unshift({ role: 'user', content: SILENCE });
  for (const text of instructions) system.push({ kind: 'text', text, cache: null });
  return { system: systemOf(system), messages, forgotThoughts, called: [...called] };
};
