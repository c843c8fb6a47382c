import { z } from 'zod';

/** The body of every error in OpenAI's format. */
export const ErrorBody = z.looseObject({
  error: z.looseObject({
    message: z.string(),
    type: z.string().nullish().catch(null),
    param: z.string().nullish().catch(null),
    code: z.union([z.string(), z.number()]).nullish().catch(null),
  }),
});
export type ErrorBody = z.infer<typeof ErrorBody>;
