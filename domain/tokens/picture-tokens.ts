import { geminiTraits } from '../dialects/gemini/gemini-traits.ts';
import { claudeGeneration } from './claude-generation.ts';
import { isOpenai } from './openai-names.ts';
import type { PictureSize } from './picture-size.ts';
import { LARGEST_IMAGE, LARGEST_IMAGE_TILED } from './prompt-bound.ts';

/** Of a picture whose size nobody says. */
const USUAL: PictureSize = { width: 1_024, height: 1_024 };

const scaled = ({ width, height }: PictureSize, by: number): PictureSize =>
  by >= 1 ? { width, height } : { width: Math.max(1, width * by), height: Math.max(1, height * by) };

const within = (size: PictureSize, edge: number): PictureSize => scaled(size, edge / Math.max(size.width, size.height));

/** A whole that floating point made a little more is still that whole. */
const pieces = (length: number, piece: number): number => Math.max(1, Math.ceil(length / piece - 1e-9));

const patches = ({ width, height }: PictureSize, edge: number): number => pieces(width, edge) * pieces(height, edge);

interface Tiles {
  readonly base: number;
  readonly perTile: number;
}

/** OpenAI's rule of tiles: a picture of low detail is the base; else its tiles of 512 pixels, once it fits 2048 × 2048 with a shorter edge of 768. */
const TILED: readonly (readonly [RegExp, Tiles])[] = [
  [/4o-mini/, { base: 2_833, perTile: 5_667 }],
  [/computer-use/, { base: 65, perTile: 129 }],
  [/(?:^|[/.])o[13](?:$|[-:@])/, { base: 75, perTile: 150 }],
  [/gpt-5/, { base: 70, perTile: 140 }],
];
const USUAL_TILES: Tiles = { base: 85, perTile: 170 };

const tiled = ({ base, perTile }: Tiles, size: PictureSize, isLow: boolean): number => {
  if (isLow) return base;
  const fitted = within(size, 2_048);
  return base + perTile * patches(scaled(fitted, 768 / Math.min(fitted.width, fitted.height)), 512);
};

interface Patches {
  readonly times: number;
  /** Of the smaller pictures that most models make of what is larger. */
  readonly most: number;
  /** Newer models fit a picture of low detail into 512 × 512; the others take it as any. */
  readonly fits: boolean;
}

/** OpenAI's rule of patches of 32 pixels. */
const PATCHED: readonly (readonly [RegExp, Patches])[] = [
  [/gpt-4\.1-mini|gpt-5-mini/, { times: 1.62, most: 1_536, fits: false }],
  [/gpt-4\.1-nano|gpt-5-nano/, { times: 2.46, most: 1_536, fits: false }],
  [/(?:^|[/.])o4-mini/, { times: 1.72, most: 1_536, fits: false }],
  [/gpt-5\.4-(?:mini|nano)/, { times: 1.2, most: 2_500, fits: true }],
  [/gpt-5\.6|gpt-[6-9]/, { times: 1.2, most: Infinity, fits: true }],
];

const patched = ({ times, most, fits }: Patches, size: PictureSize, detail: string | null): number => {
  const fitted = fits && detail === 'low' ? within(size, 512) : fits && detail === 'high' ? within(size, 2_048) : size;
  const limit = fits && detail === 'high' ? 2_500 : most;
  let count = patches(fitted, 32);
  if (count > limit) {
    const by = Math.sqrt((32 * 32 * limit) / (fitted.width * fitted.height));
    const [across, down] = [(fitted.width * by) / 32, (fitted.height * by) / 32];
    const whole = Math.min(Math.floor(across) / across, Math.floor(down) / down);
    count = Math.min(limit, whole > 0 ? patches(scaled(fitted, by * whole), 32) : limit);
  }
  return Math.ceil(count * times - 1e-9);
};

/** Anthropic's: pieces of 28 pixels of what is left once the longer edge and their number are within the model's; 750 pixels a token before Claude 4. */
const claude = (model: string, size: PictureSize): number => {
  const generation = claudeGeneration(model);
  if (generation < 4) return Math.min(1_600, Math.ceil((size.width * size.height) / 750));
  const [edge, most] = generation >= 4.7 ? [2_576, 4_784] : [1_568, 1_568];
  return Math.min(most, patches(within(size, edge), 28));
};

const GEMINI_TILE = 258;
/** Larger pictures are made as small as this. */
const GEMINI_EDGE = 3_072;

/** Google's: one number for each resolution from Gemini 3 on; before, 258 a tile, of which small pictures are one. */
const gemini = (model: string, size: PictureSize, detail: string | null): number => {
  if (geminiTraits(model).signsCalls) return detail === 'low' ? 280 : detail === 'medium' ? 560 : 1_120;
  if (detail === 'low') return 64;
  const fitted = within(size, GEMINI_EDGE);
  if (fitted.width <= 384 && fitted.height <= 384) return GEMINI_TILE;
  const unit = Math.min(768, Math.max(256, Math.floor(Math.min(fitted.width, fitted.height) / 1.5)));
  return GEMINI_TILE * patches(fitted, unit);
};

/** Of models whose maker says nothing. */
const OTHERS = 520;

/**
 * Tokens that a picture takes in a prompt, by the rules that OpenAI, Anthropic and Google publish for their models. `size`: `null` where
 * nobody says it. `detail`: as the request asks for, in OpenAI's or Google's words. Never more than what is set aside for a picture.
 */
export const pictureTokens = (model: string, size: PictureSize | null, detail: string | null): number => {
  const name = model.toLowerCase();
  const shown = size ?? USUAL;
  if (/claude|fable/.test(name)) return claude(name, shown);
  if (/gemini|gemma/.test(name)) return gemini(name, shown, detail);
  const rule = PATCHED.find(([pattern]) => pattern.test(name))?.[1];
  if (rule !== undefined) return Math.min(LARGEST_IMAGE, patched(rule, shown, detail));
  if (!isOpenai(name)) return OTHERS;
  const tiles = TILED.find(([pattern]) => pattern.test(name))?.[1] ?? USUAL_TILES;
  return Math.min(LARGEST_IMAGE_TILED, tiled(tiles, shown, detail === 'low'));
};
