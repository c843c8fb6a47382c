import { z } from 'zod';

/** An answer of the upstream's that means more than its status: all that is given has to fit. */
export const DisableRule = z.object({
  statuses: z.array(z.int().min(100).max(599)).min(1).max(50).optional(),
  /** The error's code or type. */
  codes: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
  /** Anywhere in the answer, in upper or lower case. */
  texts: z.array(z.string().min(1).max(200)).min(1).max(50).optional(),
  /** What it takes out of use: the credential that was sent, or the whole channel. */
  disables: z.enum(['key', 'channel']),
});
export type DisableRule = z.infer<typeof DisableRule>;

/** A status of the upstream's that is to be read as another. */
export const StatusMapping = z.object({ from: z.int().min(400).max(599), to: z.int().min(400).max(599) });

/** Time limits that replace those of the installation. */
export const ChannelTimes = z.object({
  /** Until a plain answer is whole. */
  answerSeconds: z.int().min(1).max(86_400).optional(),
  /** Until a stream's first event. */
  firstEventSeconds: z.int().min(1).max(86_400).optional(),
});
