import { z } from 'zod';
import { AmountText } from './money.ts';
import { USAGE_CLASSES } from './usage.ts';

/** Nano-dollars per million tokens for token classes, per piece for unit classes. */
export const Rates = z.partialRecord(z.enum(USAGE_CLASSES), AmountText);
export type Rates = z.infer<typeof Rates>;

export const ModelKind = z.enum([
  'chat',
  'completion',
  'embedding',
  'image',
  'speech',
  'transcription',
  'rerank',
  'moderation',
  'video',
  'responses',
  'other',
]);
export type ModelKind = z.infer<typeof ModelKind>;

/** Rates that replace the model's own for the whole call once its prompt is longer than `abovePromptTokens`. */
export const PriceTier = z.object({ abovePromptTokens: z.int().positive(), rates: Rates });
export type PriceTier = z.infer<typeof PriceTier>;

/** A ratio in millionths: 1 000 000 is one. An integer, so that a price times a ratio is exact. */
export const Ratio = z.int().min(0).max(1_000_000_000).brand('Ratio');
export type Ratio = z.infer<typeof Ratio>;
export const RATIO_ONE = 1_000_000 as Ratio;

/** A picture of this size and quality is charged as so many; what is not named fits any. */
export const PicturePieces = z.object({
  size: z.string().min(1).max(32).optional(),
  quality: z.string().min(1).max(32).optional(),
  pieces: z.int().positive().max(1_000_000),
});
export type PicturePieces = z.infer<typeof PicturePieces>;

/** The price of one model. */
export const ModelPrice = z.object({
  model: z.string().min(1).max(200),
  kind: ModelKind,
  rates: Rates,
  tiers: z.array(PriceTier).max(8).optional(),
  /** Most tokens that one call may produce; bounds what a call can cost when the caller names no limit. */
  maxOutputTokens: z.int().positive().optional(),
  contextTokens: z.int().positive().optional(),
  /** What is left of it in a batch: half of it is 500 000. All of it unless given. */
  batchRatio: Ratio.optional(),
  /** Of a model with a rate for the image: what a picture counts as. The first is what it makes where nobody says; what fits none counts as the dearest. */
  pictures: z.array(PicturePieces).min(1).max(64).optional(),
});
export type ModelPrice = z.infer<typeof ModelPrice>;
