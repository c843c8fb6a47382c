import { z } from 'zod';
import { ConversationId, RequestId, ResponseId, TokenId, UserId } from '../ids.ts';
import { Instant } from '../time.ts';

/**
 * Base64 of what was asked and answered, packed and then encrypted under a key that lies outside of the log: without that key nobody can
 * read it, and a copy of the log does not bring it back.
 */
export const Ciphertext = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);

const begun = {
  responseId: ResponseId,
  userId: UserId,
  tokenId: TokenId,
  requestId: RequestId,
  model: z.string().max(200),
  /** When its keys are destroyed. */
  expiresAt: Instant,
} as const;

export const responseEvents = {
  /** An answer that is made while nobody waits for it. */
  ResponseBegun: z.object({ ...begun, content: Ciphertext }),
  /** Its caller wants it no longer; whoever makes it stops. */
  ResponseCancelled: z.object({ responseId: ResponseId, userId: UserId }),
  /** An answer of the Responses API that its caller may ask for again. */
  ResponseKept: z.object({
    ...begun,
    conversationId: ConversationId.nullable(),
    /** How many parts the content has: the first is here, each other in an event of its own. */
    parts: z.int().positive().max(16),
    content: Ciphertext,
  }),
  ResponsePartKept: z.object({ responseId: ResponseId, part: z.int().positive().max(16), content: Ciphertext }),
  ResponseDeleted: z.object({ responseId: ResponseId, userId: UserId }),
} as const;
