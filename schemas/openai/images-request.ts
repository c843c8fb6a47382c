import { z } from 'zod';

const MOST_IMAGES = 128;

/** The fields of `POST /v1/images/generations` that decide who serves a call and what it may cost. */
export const ImagesRequest = z.looseObject({
  model: z.string().min(1).max(200),
  prompt: z.string().min(1),
  n: z.int().min(1).max(MOST_IMAGES).nullish(),
  size: z.string().max(32).nullish(),
  quality: z.string().max(32).nullish(),
  stream: z.boolean().nullish(),
  partial_images: z.int().min(0).max(10).nullish(),
});
export type ImagesRequest = z.infer<typeof ImagesRequest>;

const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** The same of a form (`/v1/images/edits`, `/v1/images/variations`), where every field is text. */
export const ImagesForm = z.object({
  model: z.string().min(1).max(200),
  prompt: z.string().optional(),
  n: z.coerce.number().int().min(1).max(MOST_IMAGES).optional(),
  size: z.string().max(32).optional(),
  quality: z.string().max(32).optional(),
  stream: Flag.optional(),
  partial_images: z.coerce.number().int().min(0).max(10).optional(),
});
export type ImagesForm = z.infer<typeof ImagesForm>;
