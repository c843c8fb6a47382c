import { z } from 'zod';

const Model = z.string().min(1).max(200);
const Prompt = z.string().max(100_000);
const Size = z
  .string()
  .max(20)
  .regex(/^[\w:x-]+$/, 'expected a size such as 1280x720');

/** A length in whole seconds, which some clients send as a text. */
const Seconds = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,4}$/, 'expected whole seconds')
      .transform(Number),
  ])
  .pipe(z.int().min(1).max(3_600));

/** What of a request for a video in OpenAI's form decides about its cost; the rest is the upstream's business. */
export const VideosRequest = z.looseObject({
  model: Model.default('sora-2'),
  prompt: Prompt,
  seconds: Seconds.optional(),
  size: Size.optional(),
});

/** The form that gateways have in common for video. */
export const VideoGenerationRequest = z.looseObject({
  model: Model,
  prompt: Prompt.optional(),
  mode: z.string().max(40).optional(),
  image: z.string().optional(),
  images: z.array(z.string()).max(16).optional(),
  input_reference: z.string().optional(),
  size: Size.optional(),
  seconds: Seconds.optional(),
  duration: Seconds.optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});

/** Kling's own form. */
export const KlingVideoRequest = z.looseObject({
  model_name: Model.optional(),
  model: Model.optional(),
  prompt: Prompt.optional(),
  image: z.string().optional(),
  duration: Seconds.optional(),
  aspect_ratio: Size.optional(),
});

export const RemixRequest = z.looseObject({ prompt: Prompt.min(1) });
