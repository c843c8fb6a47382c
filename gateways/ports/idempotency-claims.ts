import type { Refusal } from '../../schemas/errors.ts';
import type { RequestId, TokenId } from '../../schemas/ids.ts';

/** Who came first with an `Idempotency-Key`, for all processes and across restarts. */
export interface IdempotencyClaims {
  /**
   * Durable once it resolves to `claimed`: whoever comes with the same key afterwards is refused (`idempotency_conflict` when
   * the payload differs, else `idempotency_in_flight` or `idempotency_spent`). `payloadHash` is 64 hex digits.
   */
  claim(tokenId: TokenId, key: string, payloadHash: string, requestId: RequestId): Promise<'claimed' | Refusal>;
}
