import { z } from 'zod';

/** The fields of `POST /v1/moderations` that we must read. `input` is text, texts, or parts of a message. */
export const ModerationsRequest = z.looseObject({
  /** What OpenAI takes where nobody says which. */
  model: z.string().min(1).max(200).default('omni-moderation-latest'),
  input: z.union([z.string(), z.array(z.union([z.string(), z.looseObject({ type: z.string() })])).min(1)]),
});
export type ModerationsRequest = z.infer<typeof ModerationsRequest>;
