import { z } from 'zod';
import { KeyHash, TokenRestrictions } from '../../schemas/events/token.ts';
import { TokenId, UserId } from '../../schemas/ids.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const TOKEN_LOOKUP = { name: 'token-lookup', version: 1 } as const;

export const tokenTable = tableName(TOKEN_LOOKUP.name, TOKEN_LOOKUP.version);

/** An API key as it stands. What stands in its way is kept apart, as its decider does; expiry is a matter of the clock. */
export const TokenDocument = z.object({
  tokenId: TokenId,
  userId: UserId,
  name: z.string(),
  keyHash: KeyHash,
  keyPrefix: z.string(),
  expiresAt: Instant.nullable(),
  restrictions: TokenRestrictions,
  disabled: z.boolean(),
  revoked: z.boolean(),
  exhausted: z.boolean(),
  /** Given when it was disabled or revoked last; `null` when neither holds. */
  statusReason: z.string().nullable(),
  createdAt: Instant,
  revision: z.int(),
});
export type TokenDocument = z.infer<typeof TokenDocument>;
