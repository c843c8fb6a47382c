import { z } from 'zod';
import { UserId } from '../ids.ts';

/** Streams of this category are named for the digest of an address. Whoever claimed it last and did not release it has it. */
export const emailEvents = {
  EmailClaimed: z.object({ userId: UserId }),
  EmailReleased: z.object({ userId: UserId }),
} as const;
