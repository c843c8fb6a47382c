import type { ChatRequest } from '../../schemas/openai/chat-request.ts';
import { NOTHING_ELIDED, type Elided } from './elided.ts';

/** The most tokens a prompt can be reckoned at, and which dearer classes some of them may fall in. */
export interface PromptBound {
  readonly tokens: number;
  readonly audio: boolean;
  readonly image: boolean;
  /** Pictures in it. */
  readonly pictures: number;
}

/** Room for what a chat format wraps around messages, beyond what their JSON already takes. */
export const FORMAT_OVERHEAD = 16;

/** Some providers put a system prompt of their own before the definitions of tools; the longest published one is 804 tokens. */
export const TOOLS_OVERHEAD = 1_024;

/** What one image can cost at most: eight tiles of 512 pixels at gpt-4o-mini's 5 667 a tile and 2 833 once; other models stay under 16 384. */
export const LARGEST_IMAGE_TILED = 48_169;
export const LARGEST_IMAGE = 16_384;

/** What one image can cost at most with a model of this name. */
export const largestImage = (model: string): number => (model.includes('4o-mini') ? LARGEST_IMAGE_TILED : LARGEST_IMAGE);

/** A token per this many characters of base64 audio: above what the lowest bit rate (8 kbit/s) and the finest rate (32 tokens a second) come to. */
export const AUDIO_CHARACTERS_PER_TOKEN = 32;

/** For what lies elsewhere (a file id, a link to a video), where only the model's window bounds it. */
export const UNKNOWN_CONTEXT = 1_000_000;

interface Media {
  tokens: number;
  /** Characters of the body that are media, not text. */
  characters: number;
  audio: boolean;
  pictures: number;
  unbounded: boolean;
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

const addPart = (part: unknown, perImage: number, media: Media, elided: Elided): void => {
  switch (field(part, 'type')) {
    case 'text':
    case 'refusal':
      return;
    case 'image_url': {
      const image = field(part, 'image_url');
      const url = typeof image === 'string' ? image : field(image, 'url');
      media.pictures++;
      media.tokens += perImage;
      if (typeof url === 'string' && url.startsWith('data:')) media.characters += url.length + elided.within(url);
      return;
    }
    case 'input_audio': {
      const data = field(field(part, 'input_audio'), 'data');
      media.audio = true;
      if (typeof data !== 'string') return;
      const length = data.length + elided.within(data);
      media.characters += length;
      media.tokens += Math.ceil(length / AUDIO_CHARACTERS_PER_TOKEN);
      return;
    }
    default:
      media.unbounded = true;
  }
};

/**
 * A safe upper bound on a prompt's tokens, at the price of reading lengths only: every tokeniser in use makes at most one
 * token of a byte, so text cannot have more tokens than its JSON has bytes. Media are taken out of the bytes and reckoned
 * by their own rules. No prompt is longer than the model's context.
 */
export const boundPrompt = (
  request: ChatRequest,
  bodyBytes: number,
  contextTokens: number | undefined,
  elided: Elided = NOTHING_ELIDED,
): PromptBound => {
  const perImage = largestImage(request.model);
  const media: Media = { tokens: 0, characters: 0, audio: false, pictures: 0, unbounded: false };
  for (const message of request.messages) {
    const content = field(message, 'content');
    if (Array.isArray(content)) for (const part of content) addPart(part, perImage, media, elided);
    // An assistant's earlier spoken answer, referred to by id.
    if ((field(message, 'audio') ?? null) !== null) {
      media.audio = true;
      media.unbounded = true;
    }
  }
  const overhead = FORMAT_OVERHEAD + (request['tools'] !== undefined || request['functions'] !== undefined ? TOOLS_OVERHEAD : 0);
  const counted = bodyBytes + elided.bytes - media.characters + media.tokens + overhead;
  const most = media.unbounded ? Math.max(counted, UNKNOWN_CONTEXT) : counted;
  const tokens = contextTokens === undefined || most < contextTokens ? most : contextTokens;
  return {
    tokens,
    audio: media.audio || (request.modalities?.includes('audio') ?? false),
    image: media.pictures > 0,
    pictures: media.pictures,
  };
};

/** The same for an embeddings call: text has at most a token per byte, and a list of tokens takes at least two bytes a token. */
export const boundInput = (bodyBytes: number): number => bodyBytes;
