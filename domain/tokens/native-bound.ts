import { isRecord } from '../dialects/loose-json.ts';
import { NOTHING_ELIDED, type Elided } from './elided.ts';
import {
  AUDIO_CHARACTERS_PER_TOKEN,
  FORMAT_OVERHEAD,
  largestImage,
  TOOLS_OVERHEAD,
  UNKNOWN_CONTEXT,
  type PromptBound,
} from './prompt-bound.ts';

/** The most that a prompt in some provider's own format can come to. */
export interface NativeBound extends PromptBound {
  /** Uses of the provider's own tools that may be charged. */
  readonly toolUses: number;
}

/** Where a request does not say how often the provider's own tools may be used: after this many they hand back to the caller. */
const MOST_TOOL_USES = 10;

interface Media {
  tokens: number;
  /** Characters of the body that are media, not text. */
  characters: number;
  audio: boolean;
  pictures: number;
  readonly perImage: number;
  unbounded: boolean;
  readonly elided: Elided;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

const lengthOf = (value: unknown, elided: Elided): number => (typeof value === 'string' ? value.length + elided.within(value) : 0);

const addData = (type: unknown, data: unknown, media: Media): void => {
  const kind = typeof type === 'string' ? type.toLowerCase() : '';
  media.characters += lengthOf(data, media.elided);
  if (kind.startsWith('image/')) {
    media.pictures++;
    media.tokens += media.perImage;
  } else if (kind.startsWith('audio/')) {
    media.audio = true;
    media.tokens += Math.ceil(lengthOf(data, media.elided) / AUDIO_CHARACTERS_PER_TOKEN);
  } else media.unbounded = true;
};

/** Only what stands where media stand is taken for media: the same members within a tool's arguments are text like all others. */
const addBlock = (block: unknown, media: Media): void => {
  if (!isRecord(block)) return;
  const source = isRecord(block['source']) ? block['source'] : {};
  switch (block['type']) {
    case 'image':
      media.pictures++;
      media.tokens += media.perImage;
      if (source['type'] === 'base64') media.characters += lengthOf(source['data'], media.elided);
      return;
    case 'document':
      if (source['type'] === 'base64') addData('application/pdf', source['data'], media);
      else if (source['type'] === 'content') for (const one of listOf(source['content'])) addBlock(one, media);
      else if (source['type'] !== 'text') media.unbounded = true;
      return;
    case 'tool_result':
      for (const one of listOf(block['content'])) addBlock(one, media);
      return;
    case 'container_upload':
      media.unbounded = true;
  }
};

const addPart = (part: unknown, media: Media): void => {
  if (!isRecord(part)) return;
  const inline = part['inlineData'];
  if (isRecord(inline)) addData(inline['mimeType'], inline['data'], media);
  if (part['fileData'] !== undefined) media.unbounded = true;
  const response = part['functionResponse'];
  if (isRecord(response)) for (const one of listOf(response['parts'])) addPart(one, media);
};

const noMedia = (model: string, elided: Elided): Media => ({
  tokens: 0,
  characters: 0,
  audio: false,
  pictures: 0,
  perImage: largestImage(model),
  unbounded: false,
  elided,
});

const boundOf = (
  media: Media,
  bodyBytes: number,
  hasTools: boolean,
  turns: number,
  toolUses: number,
  context: number | undefined,
): NativeBound => {
  const counted = bodyBytes + media.elided.bytes - media.characters + media.tokens + FORMAT_OVERHEAD + (hasTools ? TOOLS_OVERHEAD : 0);
  const isOpen = media.unbounded || turns > 1;
  const most = isOpen ? Math.max(counted, UNKNOWN_CONTEXT) : counted;
  const once = context === undefined || most < context ? most : context;
  return { tokens: once * turns, audio: media.audio, image: media.pictures > 0, pictures: media.pictures, toolUses };
};

/**
 * A request of Anthropic's Messages. Tools that run there put what they find into the prompt, which is read again behind each use: such a
 * call can come to the model's whole window as often as they may be used, and once more.
 */
export const boundMessages = (
  request: Readonly<Record<string, unknown>>,
  model: string,
  bodyBytes: number,
  context: number | undefined,
  elided: Elided = NOTHING_ELIDED,
): NativeBound => {
  const media = noMedia(model, elided);
  for (const message of listOf(request['messages']))
    if (isRecord(message)) for (const block of listOf(message['content'])) addBlock(block, media);
  let uses = 0;
  const tools = listOf(request['tools']);
  for (const tool of tools) {
    if (!isRecord(tool)) continue;
    const type = tool['type'];
    if (typeof type !== 'string' || type === 'custom' || 'input_schema' in tool) continue;
    uses += typeof tool['max_uses'] === 'number' && tool['max_uses'] >= 0 ? Math.ceil(tool['max_uses']) : MOST_TOOL_USES;
  }
  if (listOf(request['mcp_servers']).length > 0) uses += MOST_TOOL_USES;
  return boundOf(media, bodyBytes, tools.length > 0, uses + 1, uses, context);
};

/**
 * A request of Gemini's, names of members in camel case. Google's own tools add what they find to a prompt of its own size, once; contents
 * that lie in a cache of Google's are as long as the window lets them be.
 */
export const boundContents = (
  request: Readonly<Record<string, unknown>>,
  model: string,
  bodyBytes: number,
  context: number | undefined,
  elided: Elided = NOTHING_ELIDED,
): NativeBound => {
  const media = noMedia(model, elided);
  for (const content of listOf(request['contents']))
    if (isRecord(content)) for (const part of listOf(content['parts'])) addPart(part, media);
  if ((request['cachedContent'] ?? null) !== null) media.unbounded = true;
  const tools = listOf(request['tools']);
  const runsThere = tools.some((tool) => isRecord(tool) && Object.keys(tool).some((name) => name !== 'functionDeclarations'));
  return boundOf(media, bodyBytes, tools.length > 0, runsThere ? 2 : 1, runsThere ? MOST_TOOL_USES : 0, context);
};
