import { z } from 'zod';
import { RequestId } from '../ids.ts';

/** Streams of this category are named for the digest of who asked, what for, and the `Idempotency-Key`. */
export const commandEvents = {
  /** The first request with this key. Its id is the command id of every repetition. */
  CommandBegun: z.object({ requestId: RequestId, operation: z.string().max(100) }),
} as const;
