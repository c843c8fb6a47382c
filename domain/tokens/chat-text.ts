import type { ChatRequest } from '../../schemas/openai/chat-request.ts';
import type { EmbeddingsRequest } from '../../schemas/openai/embeddings-request.ts';
import type { Produced } from '../../schemas/openai/chat-answer.ts';

/** Text to be tokenised, and tokens that are known without. */
export interface Countable {
  readonly texts: readonly string[];
  readonly tokens: number;
}

// OpenAI's published rule for its chat models: three tokens a message, one more for a name, three to begin the answer.
const PER_MESSAGE = 3;
const PER_NAME = 1;
const ANSWER_PRIMING = 3;
/** The frame around the definitions of tools. */
const TOOLS_FRAME = 9;
/** Around the name and the arguments of a tool call. */
const PER_TOOL_CALL = 3;

/** An image of unknown size: 1024 × 1024 at high detail in OpenAI's rule of tiles. */
const TYPICAL_IMAGE = 765;
const AUDIO_CHARACTERS_PER_TOKEN = 1_000;
const TYPICAL_FILE = 4_096;

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

const addText = (texts: string[], value: unknown): void => {
  if (typeof value === 'string' && value !== '') texts.push(value);
};

const partTokens = (part: unknown, texts: string[]): number => {
  if (typeof part === 'string') addText(texts, part);
  switch (field(part, 'type')) {
    case 'text':
      addText(texts, field(part, 'text'));
      return 0;
    case 'refusal':
      addText(texts, field(part, 'refusal'));
      return 0;
    case 'image_url':
      return TYPICAL_IMAGE;
    case 'input_audio': {
      const data = field(field(part, 'input_audio'), 'data');
      return typeof data === 'string' ? Math.ceil(data.length / AUDIO_CHARACTERS_PER_TOKEN) : 0;
    }
    case 'file':
      return TYPICAL_FILE;
    default:
      return 0;
  }
};

const contentTokens = (content: unknown, texts: string[]): number => {
  addText(texts, content);
  if (!Array.isArray(content)) return 0;
  let tokens = 0;
  for (const part of content) tokens += partTokens(part, texts);
  return tokens;
};

const callTokens = (calls: unknown, texts: string[]): number => {
  if (!Array.isArray(calls)) return 0;
  for (const call of calls) {
    for (const [kind, body] of [
      ['function', 'arguments'],
      ['custom', 'input'],
    ] as const) {
      addText(texts, field(field(call, kind), 'name'));
      addText(texts, field(field(call, kind), body));
    }
  }
  return calls.length * PER_TOOL_CALL;
};

/** What of a chat request counts as its prompt. */
export const promptOf = (request: ChatRequest): Countable => {
  const texts: string[] = [];
  let tokens = ANSWER_PRIMING;
  for (const message of request.messages) {
    tokens += PER_MESSAGE + contentTokens(field(message, 'content'), texts) + callTokens(field(message, 'tool_calls'), texts);
    addText(texts, field(message, 'role'));
    const name = field(message, 'name');
    addText(texts, name);
    if (typeof name === 'string') tokens += PER_NAME;
  }
  const tools = request['tools'] ?? request['functions'];
  if (Array.isArray(tools) && tools.length > 0) {
    tokens += TOOLS_FRAME;
    addText(texts, JSON.stringify(tools));
  }
  return { texts, tokens };
};

/** What of an embeddings request counts: text is tokenised, tokens are counted as they are. */
export const inputOf = ({ input }: Pick<EmbeddingsRequest, 'input'>): Countable => {
  if (typeof input === 'string') return { texts: [input], tokens: 0 };
  const texts: string[] = [];
  let tokens = 0;
  for (const item of input) {
    if (typeof item === 'string') addText(texts, item);
    else tokens += typeof item === 'number' ? 1 : item.length;
  }
  return { texts, tokens };
};

/** Appends what a message, or a part of one, says; answers tokens that are known without reading. */
export const producedBy = (produced: Produced, texts: string[]): number => {
  const tokens = contentTokens(produced.content, texts);
  addText(texts, produced.refusal);
  addText(texts, produced.reasoning_content ?? produced.reasoning);
  addText(texts, produced.function_call?.name);
  addText(texts, produced.function_call?.arguments);
  for (const call of produced.tool_calls ?? []) {
    addText(texts, call.function?.name);
    addText(texts, call.function?.arguments);
    addText(texts, call.custom?.name);
    addText(texts, call.custom?.input);
  }
  return tokens;
};
