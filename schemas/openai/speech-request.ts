import { z } from 'zod';

/** Longer texts are no speech but an attack on the arithmetic; OpenAI itself takes 4 096 characters. */
const MOST_CHARACTERS = 1_000_000;

/** The fields of `POST /v1/audio/speech` that decide who serves a call and what it may cost. */
export const SpeechRequest = z.looseObject({
  model: z.string().min(1).max(200),
  input: z.string().min(1).max(MOST_CHARACTERS),
  instructions: z.string().max(MOST_CHARACTERS).nullish(),
  speed: z.number().min(0.1).max(10).nullish(),
  stream_format: z.string().max(32).nullish(),
});
export type SpeechRequest = z.infer<typeof SpeechRequest>;
