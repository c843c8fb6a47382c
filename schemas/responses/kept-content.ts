import { z } from 'zod';
import { Metadata } from './responses-request.ts';

/** An item of a conversation, whoever said it. */
export const KeptItem = z.looseObject({ type: z.string(), id: z.string() });
export type KeptItem = z.infer<typeof KeptItem>;

/** What is kept of an answer of the Responses API. */
export const KeptContent = z.object({
  /** As it was answered. */
  response: z.looseObject({ id: z.string(), status: z.string(), output: z.array(z.looseObject({ type: z.string() })) }),
  /** What was asked, without what was said before. */
  input: z.array(KeptItem),
  /** The answers that this one continues, the earliest first. */
  lineage: z.array(z.string()),
});
export type KeptContent = z.infer<typeof KeptContent>;

/** What is kept of a conversation besides what was said in it. */
export const ConversationFacts = z.object({
  metadata: Metadata,
  /** Seconds since the Unix epoch. */
  createdAt: z.int().nonnegative(),
});
export type ConversationFacts = z.infer<typeof ConversationFacts>;
