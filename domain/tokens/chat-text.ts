import type { ChatRequest } from '../../schemas/openai/chat-request.ts';
import type { EmbeddingsRequest } from '../../schemas/openai/embeddings-request.ts';
import type { Produced } from '../../schemas/openai/chat-answer.ts';
import { NOTHING_ELIDED, type Elided } from './elided.ts';
import { documentIn, pictureIn, soundIn, toolPrompt, TYPICAL_VIDEO, type InlineData } from './media-tokens.ts';
import { isOpenai } from './openai-names.ts';
import { functionsText } from './tools-text.ts';

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

/** Where a call has to be made of one function, its name and so many. */
const FORCED_TOOL = 4;

/** Whose tokens are counted, and what of the request lies elsewhere. */
interface Counting {
  readonly model: string;
  readonly elided: Elided;
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

const addText = (texts: string[], value: unknown): void => {
  if (typeof value === 'string' && value !== '') texts.push(value);
};

const DATA_URL = /^data:([^;,]{0,100})(?:;[^,;]{0,100}){0,4};base64,/;

/** Data that stand in an address; `null` where they lie behind it. */
const inlineData = (url: unknown, elided: Elided): InlineData | null => {
  if (typeof url !== 'string') return null;
  const head = DATA_URL.exec(url);
  return head === null ? null : { type: (head[1] ?? '').toLowerCase(), text: url, from: head[0].length, elided: elided.within(url) };
};

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const partTokens = (part: unknown, texts: string[], { model, elided }: Counting): number => {
  if (typeof part === 'string') addText(texts, part);
  switch (field(part, 'type')) {
    case 'text':
      addText(texts, field(part, 'text'));
      return 0;
    case 'refusal':
      addText(texts, field(part, 'refusal'));
      return 0;
    case 'image_url': {
      const image = field(part, 'image_url');
      return pictureIn(model, inlineData(textOf(image) ?? field(image, 'url'), elided), textOf(field(image, 'detail')));
    }
    case 'input_audio': {
      const sound = field(part, 'input_audio');
      const data = field(sound, 'data');
      if (typeof data !== 'string') return 0;
      return soundIn(model, { type: textOf(field(sound, 'format')) ?? '', text: data, from: 0, elided: elided.within(data) });
    }
    case 'file': {
      const data = inlineData(field(field(part, 'file'), 'file_data'), elided);
      return documentIn(model, data);
    }
    case 'video_url':
      return TYPICAL_VIDEO;
    default:
      return 0;
  }
};

const contentTokens = (content: unknown, texts: string[], counting: Counting): number => {
  addText(texts, content);
  if (!Array.isArray(content)) return 0;
  let tokens = 0;
  for (const part of content) tokens += partTokens(part, texts, counting);
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

/** Definitions of tools: OpenAI's models read functions in a form of their own, of others nobody says it. */
const toolTokens = (request: ChatRequest, model: string, texts: string[]): number => {
  const tools = request['tools'] ?? request['functions'];
  if (!Array.isArray(tools) || tools.length === 0) return 0;
  const choice = request['tool_choice'] ?? request['function_call'];
  const forced = textOf(field(field(choice, 'function'), 'name')) ?? textOf(field(choice, 'name'));
  addText(texts, forced);
  const functions = isOpenai(model) ? functionsText(tools.map((tool: unknown) => field(tool, 'function') ?? tool)) : null;
  addText(texts, functions ?? JSON.stringify(tools));
  return TOOLS_FRAME + (forced === null ? 0 : FORCED_TOOL) + toolPrompt(model, forced !== null || choice === 'required');
};

/** What of a chat request counts as its prompt, for a model of this name. */
export const promptOf = (request: ChatRequest, model: string, elided: Elided = NOTHING_ELIDED): Countable => {
  const texts: string[] = [];
  const counting = { model, elided };
  let tokens = ANSWER_PRIMING;
  for (const message of request.messages) {
    tokens += PER_MESSAGE + contentTokens(field(message, 'content'), texts, counting) + callTokens(field(message, 'tool_calls'), texts);
    addText(texts, field(message, 'role'));
    const name = field(message, 'name');
    addText(texts, name);
    if (typeof name === 'string') tokens += PER_NAME;
  }
  return { texts, tokens: tokens + toolTokens(request, model, texts) };
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
  const tokens = contentTokens(produced.content, texts, { model: '', elided: NOTHING_ELIDED });
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
