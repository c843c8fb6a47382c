import { z } from 'zod';
import { LeaseId, RequestId, TokenId, UserId } from '../ids.ts';
import { AmountText, MoneyText } from '../money.ts';
import { Day, Instant, TimeZone } from '../time.ts';

/** Where credit came from; the debit side of a grant is `funding:{source}`. */
export const FundingSource = z.enum(['grant', 'admin', 'card', 'code', 'invite']);
export type FundingSource = z.infer<typeof FundingSource>;

/** Whom a cap holds: everything the user spends, or what one key spends. */
export const CapScope = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('user') }),
  z.object({ kind: z.literal('key'), tokenId: TokenId }),
]);
export type CapScope = z.infer<typeof CapScope>;

/** `total` is for good; `day` and `month` begin anew at midnight in the account's time zone. */
export const CapWindow = z.enum(['day', 'month', 'total']);
export type CapWindow = z.infer<typeof CapWindow>;

export const accountEvents = {
  AccountOpened: z.object({ userId: UserId, timeZone: TimeZone }),
  CreditGranted: z.object({ userId: UserId, amount: AmountText, source: FundingSource, reason: z.string().max(500) }),
  CreditExpired: z.object({ userId: UserId, amount: AmountText, source: FundingSource }),
  /** Signed: a correction by hand, never a charge. */
  CreditAdjusted: z.object({ userId: UserId, amount: MoneyText, reason: z.string().min(1).max(500) }),
  /** `amount: null` lifts the cap. */
  CapSet: z.object({ userId: UserId, scope: CapScope, window: CapWindow, amount: AmountText.nullable() }),
  /**
   * The deciding append of all spending: the amount has left the wallet once this is durable. `day` is the window in
   * which everything spent from this lease counts; no call is admitted on it after `admitsUntil`, which never lies
   * past the end of that day; `expiresAt` is when a sweeper may take a silent holder for dead.
   */
  SpendLeaseGranted: z.object({
    userId: UserId,
    leaseId: LeaseId,
    tokenId: TokenId,
    holder: z.string().max(100),
    amount: AmountText,
    day: Day,
    admitsUntil: Instant,
    expiresAt: Instant,
  }),
  /** Asks a holder to close a lease as soon as nothing runs on it: someone else cannot be served from what is left. */
  LeaseReturnRequested: z.object({ userId: UserId, leaseId: LeaseId }),
  SpendLeaseSettled: z.object({ userId: UserId, leaseId: LeaseId, tokenId: TokenId, spent: AmountText, returned: AmountText }),
  /** What an upstream billed beyond the hold: a claim of its own, never hidden in a debit, never taken from the wallet. */
  QuotaOverdrawn: z.object({
    userId: UserId,
    leaseId: LeaseId,
    tokenId: TokenId,
    requestId: RequestId,
    model: z.string().max(200),
    amount: AmountText,
  }),
  /** `tokenId` and `day`: where the charge counted against caps, which get it back. Absent in older logs, whose refunds left caps alone. */
  ChargeRefunded: z.object({
    userId: UserId,
    leaseId: LeaseId,
    tokenId: TokenId.optional(),
    day: Day.optional(),
    requestId: RequestId,
    model: z.string().max(200),
    amount: AmountText,
    reason: z.string().min(1).max(500),
  }),
} as const;
