import { likelySeconds } from '../pricing/sound-length.ts';
import { geminiTraits } from '../dialects/gemini/gemini-traits.ts';
import { base64Head, bytesOfBase64 } from './base64-head.ts';
import { claudeGeneration } from './claude-generation.ts';
import { pictureSize, type PictureSize } from './picture-size.ts';
import { pictureTokens } from './picture-tokens.ts';

/** Data that stand in a request: base64 from a place in a text on, and how many letters of it lie elsewhere. */
export interface InlineData {
  /** Of media, in small letters. */
  readonly type: string;
  readonly text: string;
  readonly from: number;
  readonly elided: number;
}

/** Most pictures say their size at once; a JPEG may have a smaller picture and a profile of its colours in front of it. */
const USUAL_HEAD = 4 * 1024;
const LARGEST_HEAD = 256 * 1024;

const sizeOf = ({ text, from }: InlineData): PictureSize | null => {
  const soon = pictureSize(base64Head(text, USUAL_HEAD, from));
  return soon ?? (text.length - from > USUAL_HEAD ? pictureSize(base64Head(text, LARGEST_HEAD, from)) : null);
};

/** Of a picture that is in the request, or (`null`) that lies somewhere else. */
export const pictureIn = (model: string, data: InlineData | null, detail: string | null): number =>
  pictureTokens(model, data === null ? null : sizeOf(data), detail);

const isGoogles = (model: string): boolean => /gemini|gemma/i.test(model);

/** Google's rule and OpenAI's. */
const GEMINI_TOKENS_PER_SECOND = 32;
const TOKENS_PER_SECOND = 10;
/** No sound that models take is more tightly packed (bytes a second): whatever a file says of itself, it cannot sound for longer. */
const LEAST_SOUND_RATE = 1_000;
const SOUND_HEAD = 64;

/** Of a sound; its type may be the name of its format alone. */
export const soundIn = (model: string, data: InlineData): number => {
  const kind = data.type.slice(data.type.lastIndexOf('/') + 1);
  const bytes = bytesOfBase64(data.text.length - data.from + data.elided);
  const start = base64Head(data.text, SOUND_HEAD, data.from);
  const seconds = Math.min(likelySeconds({ bytes, start, filename: `.${kind}` }), Math.max(1, Math.ceil(bytes / LEAST_SOUND_RATE)));
  return seconds * (isGoogles(model) ? GEMINI_TOKENS_PER_SECOND : TOKENS_PER_SECOND);
};

/** Of a document and of a film, where nothing can be known of how long they are. */
export const TYPICAL_DOCUMENT = 4_096;
export const TYPICAL_VIDEO = 8_192;

/** As far as the pages of a document are looked for. */
const DOCUMENT_HEAD = 1024 * 1024;
/** No model takes more in one document. */
const MOST_PAGES = 1_000;
/** Text of a page: the middle of what Anthropic says. */
const PAGE_TEXT = 2_250;
/** A page as a picture, of A4 at 150 dots an inch. */
const PAGE: PictureSize = { width: 1_240, height: 1_754 };

const PAGE_MARK = /\/Type\s*\/Page(?![a-zA-Z])/g;

/** Pages that a PDF names in the open; zero where they are packed, as newer writers do. */
const pagesIn = (bytes: Uint8Array): number => {
  let text = '';
  const PIECE = 8_192;
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return text.match(PAGE_MARK)?.length ?? 0;
};

/** Of a page, where it is seen as a picture and read as a text; Google's models see it only. */
const perPage = (model: string): number => {
  if (!isGoogles(model)) return PAGE_TEXT + pictureTokens(model, PAGE, null);
  return geminiTraits(model).signsCalls ? 560 : 258;
};

const BYTES_PER_TOKEN = 4;

/** Of a document: a text by its length, a PDF by its pages, as far as they can be seen. */
export const documentIn = (model: string, data: InlineData | null): number => {
  if (data === null) return TYPICAL_DOCUMENT;
  if (data.type.startsWith('text/')) return Math.ceil(bytesOfBase64(data.text.length - data.from + data.elided) / BYTES_PER_TOKEN);
  const pages = pagesIn(base64Head(data.text, DOCUMENT_HEAD, data.from));
  return pages === 0 ? TYPICAL_DOCUMENT : Math.min(pages, MOST_PAGES) * perPage(model);
};

/** Of media of whatever type. */
export const mediaIn = (model: string, data: InlineData): number => {
  if (data.type.startsWith('image/')) return pictureIn(model, data, null);
  if (data.type.startsWith('audio/')) return soundIn(model, data);
  return data.type.startsWith('video/') ? TYPICAL_VIDEO : documentIn(model, data);
};

/** What providers put before the definitions of tools, where they say it. */
const TOOL_PROMPTS: readonly (readonly [RegExp, { readonly free: number; readonly forced: number }])[] = [
  [/opus-5-5/, { free: 286, forced: 286 }],
  [/opus-4-7/, { free: 346, forced: 804 }],
  [/sonnet-5/, { free: 346, forced: 474 }],
];

/** Of the instructions for the use of tools that a model is given unseen. `forced`: it has to call one. */
export const toolPrompt = (model: string, forced: boolean): number => {
  const name = model.toLowerCase().replaceAll('.', '-');
  if (!/claude/.test(name) || claudeGeneration(name) < 3) return 0;
  const { free, forced: must } = TOOL_PROMPTS.find(([pattern]) => pattern.test(name))?.[1] ?? { free: 346, forced: 313 };
  return forced ? must : free;
};
