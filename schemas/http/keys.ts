import { z } from 'zod';
import { TokenRestrictions } from '../events/token.ts';
import { TokenId, UserId } from '../ids.ts';
import { AmountText } from '../money.ts';
import { Instant } from '../time.ts';
import { Done, PageQuery, ScopeQuery, pageOf } from './wire.ts';

/** What a key or a user may spend in a window; `null` is no cap. `total` is a quota for good. */
export const Caps = z.object({ day: AmountText.nullable(), month: AmountText.nullable(), total: AmountText.nullable() });

/** `expired` is a matter of the clock, so no event says it. */
export const KeyStatus = z.enum(['active', 'disabled', 'revoked', 'exhausted', 'expired']);

export const KeyView = z.object({
  tokenId: TokenId,
  userId: UserId,
  name: z.string(),
  /** Enough to recognise the key, too little to use it. */
  keyPrefix: z.string(),
  status: KeyStatus,
  statusReason: z.string().nullable(),
  expiresAt: Instant.nullable(),
  restrictions: TokenRestrictions,
  caps: Caps,
  spent: z.object({ today: AmountText, thisMonth: AmountText, total: AmountText }),
  createdAt: Instant,
  lastUsedAt: Instant.nullable(),
  /** For `If-Match`. */
  revision: z.int(),
});

export const KeyQuery = z.object({
  ...PageQuery,
  ...ScopeQuery,
  userId: UserId.optional(),
  status: KeyStatus.optional(),
  search: z.string().max(100).optional(),
});
export const KeyPage = pageOf(KeyView);

const Name = z.string().trim().min(1).max(100);

export const CreateKey = z.object({
  name: Name,
  /** For administrators: whose key it will be; the caller's own unless given. */
  userId: UserId.optional(),
  expiresAt: Instant.nullable().optional(),
  restrictions: TokenRestrictions.partial().optional(),
  caps: Caps.partial().optional(),
});

/** `secret` is shown here and never again. */
export const KeyCreated = z.object({ ...Done.shape, tokenId: TokenId, secret: z.string(), keyPrefix: z.string() });

export const ChangeKey = z.object({ name: Name.optional(), expiresAt: Instant.nullable().optional() });
export const RestrictKey = TokenRestrictions;
/** Absent windows stay as they are; `null` lifts a cap. */
export const SetCaps = Caps.partial();
export const Reason = z.object({ reason: z.string().trim().max(500).optional() });
