import { z } from 'zod';

/**
 * What a call can be charged for. Classes never overlap: a cached input token is not also an input token, a
 * reasoning token is not also an output token.
 */
export const TOKEN_CLASSES = [
  'input',
  'cachedInput',
  'cacheWrite5m',
  'cacheWrite1h',
  'output',
  'reasoning',
  'audioInput',
  'audioOutput',
  'imageInput',
  'imageOutput',
] as const;

/** Charged by the piece rather than by the million. */
export const UNIT_CLASSES = ['call', 'second', 'toolUse', 'image', 'character'] as const;

export const USAGE_CLASSES = [...TOKEN_CLASSES, ...UNIT_CLASSES] as const;

export type TokenClass = (typeof TOKEN_CLASSES)[number];
export type UnitClass = (typeof UNIT_CLASSES)[number];
export type UsageClass = (typeof USAGE_CLASSES)[number];

/** How much of each class a call used. A class that is absent is zero. */
export const Usage = z.partialRecord(z.enum(USAGE_CLASSES), z.int().nonnegative());
export type Usage = z.infer<typeof Usage>;
