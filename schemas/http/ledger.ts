import { z } from 'zod';
import { ChargeBasis } from '../events/lease.ts';
import { ChannelId, LeaseId, PriceListId, RequestId, TokenId, UserId } from '../ids.ts';
import { AmountText, MoneyText } from '../money.ts';
import { Ratio } from '../price.ts';
import { Instant } from '../time.ts';
import { USAGE_CLASSES } from '../usage.ts';
import { AfterQuery, Done, PageQuery, PositionText, RangeQuery, ScopeQuery, pageOf } from './wire.ts';

export const EntryKind = z.enum([
  'grant',
  'adjustment',
  'expiry',
  'hold',
  'hold_returned',
  'charge',
  'overdrawn',
  'refund',
  'upstream_cost',
]);

/** One balanced transfer. */
export const JournalRow = z.object({
  /** `{position}.{index}`: an event may make more than one entry. */
  entryId: z.string(),
  position: PositionText,
  recordedAt: Instant,
  kind: EntryKind,
  /** Account names as in `wallet:usr_1`, `held:lse_1`, `revenue:gpt-4o`. */
  debit: z.string(),
  credit: z.string(),
  amount: AmountText,
  userId: UserId.nullable(),
  /** What the entry does to the user's balance (wallet and holds together); zero for a hold. */
  change: MoneyText,
  /** The user's balance after it; `null` on entries of no user. */
  balance: MoneyText.nullable(),
  tokenId: TokenId.nullable(),
  requestId: RequestId.nullable(),
  leaseId: LeaseId.nullable(),
  model: z.string().nullable(),
  note: z.string(),
});

/** `statement` (usual) leaves out what changes no balance: holds and their return, upstream cost. */
export const JournalFilters = {
  ...RangeQuery,
  ...ScopeQuery,
  userId: UserId.optional(),
  view: z.enum(['statement', 'entries']).optional(),
  kind: EntryKind.optional(),
  account: z.string().max(250).optional(),
  requestId: RequestId.optional(),
};
/** Newest first. */
export const JournalQuery = z.object({ ...PageQuery, ...JournalFilters });
export const JournalPage = pageOf(JournalRow);
export const JournalCsvQuery = z.object({ ...AfterQuery, ...JournalFilters });

export const LedgerAccount = z.object({ account: z.string(), debits: AmountText, credits: AmountText, balance: MoneyText });
export const LedgerAccountsQuery = z.object({ ...PageQuery, ...ScopeQuery, prefix: z.string().max(250).optional() });
export const LedgerAccountPage = pageOf(LedgerAccount);

/** Over every account of the installation; `difference` is zero or the ledger is broken. */
export const TrialBalance = z.object({
  position: PositionText,
  groups: z.array(z.object({ group: z.string(), accounts: z.int(), debits: MoneyText, credits: MoneyText })),
  debits: MoneyText,
  credits: MoneyText,
  difference: MoneyText,
});

/** How a charge came about: quantity × rate per class, times the group ratio, rounded up once. */
export const ChargeExplanation = z.object({
  requestId: RequestId,
  userId: UserId,
  tokenId: TokenId,
  leaseId: LeaseId,
  model: z.string(),
  recordedAt: Instant,
  position: PositionText,
  basis: ChargeBasis,
  priceListId: PriceListId,
  priceListTitle: z.string(),
  /** The tier whose rates held; `null` for the model's own rates. */
  tierAbovePromptTokens: z.int().nullable(),
  lines: z.array(
    z.object({
      class: z.enum(USAGE_CLASSES),
      quantity: z.int(),
      /** Nano-dollars per `per`. */
      rate: AmountText,
      per: z.enum(['million', 'piece']),
      /** Exact nano-dollars, unrounded, as a decimal: `1234.5`. */
      exact: z.string(),
    }),
  ),
  groupRatio: Ratio,
  /** Exact nano-dollars after the ratio, before the one rounding. */
  exact: z.string(),
  /** What the rule came to. */
  computed: AmountText,
  /** What had been set aside. */
  held: AmountText,
  /** What the wallet paid. */
  amount: AmountText,
  overdrawn: AmountText,
  refunded: AmountText,
  /** For administrators. */
  upstreamCost: AmountText.nullable(),
  channelId: ChannelId.nullable(),
  /** Whether the lines, ratio and rounding above do give `computed`. */
  agrees: z.boolean(),
});

export const RefundCharge = z.object({ amount: AmountText, reason: z.string().trim().min(1).max(500) });
export const ChargeRefunded = Done;
