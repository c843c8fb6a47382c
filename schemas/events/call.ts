import { z } from 'zod';
import { RequestId, TokenId } from '../ids.ts';

export const callEvents = {
  /** A client's `Idempotency-Key` now belongs to this request; whoever comes second finds the stream taken. */
  IdempotencyKeyClaimed: z.object({ requestId: RequestId, tokenId: TokenId, payloadHash: z.string().regex(/^[0-9a-f]{64}$/) }),
} as const;
