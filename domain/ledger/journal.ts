import type { DomainEvent, EventType } from '../../schemas/events/catalogue.ts';
import type { LeaseId, RequestId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { ZERO } from './money.ts';

/**
 * `wallet`: what a user may put into leases. `held`: what a lease has set aside. `revenue`: what was charged, by model. `funding`,
 * `expired`: where credit came from and went, by source. `cost` and `payable`: what an upstream is reckoned to charge us, by channel.
 * `overdraft`: what a user's calls cost beyond what was held for them, a claim that no wallet pays.
 */
export type LedgerAccount = `${'wallet' | 'held' | 'revenue' | 'funding' | 'expired' | 'cost' | 'payable' | 'overdraft'}:${string}`;

export type EntryKind = 'grant' | 'adjustment' | 'expiry' | 'hold' | 'hold_returned' | 'charge' | 'overdrawn' | 'refund' | 'upstream_cost';

/** One balanced transfer: the amount, more than nothing, leaves the debit account and reaches the credit account. */
export interface JournalEntry {
  readonly kind: EntryKind;
  readonly debit: LedgerAccount;
  readonly credit: LedgerAccount;
  readonly amount: Money;
  /** Whose statement the entry belongs to; `null` for what concerns the platform alone. */
  readonly userId: UserId | null;
  /** What it does to the user's balance, which is wallet and holds together. */
  readonly change: Money;
  readonly tokenId: TokenId | null;
  readonly requestId: RequestId | null;
  readonly leaseId: LeaseId | null;
  readonly model: string | null;
  readonly note: string;
}

/** One side of an entry. The balance of an account is its credits less its debits. */
export interface JournalLine {
  readonly account: LedgerAccount;
  readonly debit: Money;
  readonly credit: Money;
}

/** The types of events that move money. */
export const JOURNAL_TYPES = [
  'CreditGranted',
  'CreditExpired',
  'CreditAdjusted',
  'SpendLeaseGranted',
  'SpendLeaseSettled',
  'QuotaDebited',
  'QuotaOverdrawn',
  'ChargeRefunded',
] as const satisfies readonly EventType[];

type JournalEvent = Extract<DomainEvent, { readonly type: (typeof JOURNAL_TYPES)[number] }>;

/** Credit that was corrected by hand comes from and goes to this account. */
const ADJUSTMENTS: LedgerAccount = 'funding:adjustment';

const NOTHING_ELSE = { tokenId: null, requestId: null, leaseId: null, model: null, note: '' } as const;

const negated = (amount: Money): Money => -amount as Money;

const entryOf = (event: JournalEvent): readonly JournalEntry[] => {
  const { type, data } = event;
  const { userId } = data;
  const wallet = `wallet:${userId}` as const;
  switch (type) {
    case 'CreditGranted':
      return [
        {
          ...NOTHING_ELSE,
          kind: 'grant',
          debit: `funding:${data.source}`,
          credit: wallet,
          amount: data.amount,
          userId,
          change: data.amount,
          note: data.reason,
        },
      ];
    case 'CreditExpired':
      return [
        {
          ...NOTHING_ELSE,
          kind: 'expiry',
          debit: wallet,
          credit: `expired:${data.source}`,
          amount: data.amount,
          userId,
          change: negated(data.amount),
        },
      ];
    case 'CreditAdjusted': {
      const { amount } = data;
      const entry = { ...NOTHING_ELSE, kind: 'adjustment', userId, change: amount, note: data.reason } as const;
      return [
        amount < 0n
          ? { ...entry, debit: wallet, credit: ADJUSTMENTS, amount: negated(amount) }
          : { ...entry, debit: ADJUSTMENTS, credit: wallet, amount },
      ];
    }
    case 'SpendLeaseGranted':
      return [
        {
          ...NOTHING_ELSE,
          kind: 'hold',
          debit: wallet,
          credit: `held:${data.leaseId}`,
          amount: data.amount,
          userId,
          change: ZERO,
          leaseId: data.leaseId,
          tokenId: data.tokenId,
        },
      ];
    case 'SpendLeaseSettled':
      return [
        {
          ...NOTHING_ELSE,
          kind: 'hold_returned',
          debit: `held:${data.leaseId}`,
          credit: wallet,
          amount: data.returned,
          userId,
          change: ZERO,
          leaseId: data.leaseId,
          tokenId: data.tokenId,
        },
      ];
    case 'QuotaDebited': {
      const { leaseId, tokenId, requestId, model, channelId, amount, upstreamCost } = data;
      return [
        {
          kind: 'charge',
          debit: `held:${leaseId}`,
          credit: `revenue:${model}`,
          amount,
          userId,
          change: negated(amount),
          tokenId,
          requestId,
          leaseId,
          model,
          note: '',
        },
        {
          kind: 'upstream_cost',
          debit: `cost:${channelId}`,
          credit: `payable:${channelId}`,
          amount: upstreamCost,
          userId: null,
          change: ZERO,
          tokenId,
          requestId,
          leaseId,
          model,
          note: '',
        },
      ];
    }
    case 'QuotaOverdrawn': {
      const { leaseId, tokenId, requestId, model, amount } = data;
      return [
        {
          kind: 'overdrawn',
          debit: `overdraft:${userId}`,
          credit: `revenue:${model}`,
          amount,
          userId,
          change: ZERO,
          tokenId,
          requestId,
          leaseId,
          model,
          note: '',
        },
      ];
    }
    case 'ChargeRefunded': {
      const { leaseId, requestId, model, amount, reason } = data;
      return [
        {
          kind: 'refund',
          debit: `revenue:${model}`,
          credit: wallet,
          amount,
          userId,
          change: amount,
          tokenId: null,
          requestId,
          leaseId,
          model,
          note: reason,
        },
      ];
    }
  }
};

/** What an event means in double entry. An amount of nothing makes no entry. */
export const entriesOf = (event: JournalEvent): readonly JournalEntry[] => entryOf(event).filter(({ amount }) => amount > 0n);

/** Both sides of an entry; whatever the entry, their debits equal their credits. */
export const linesOf = ({ debit, credit, amount }: JournalEntry): readonly [JournalLine, JournalLine] => [
  { account: debit, debit: amount, credit: ZERO },
  { account: credit, debit: ZERO, credit: amount },
];
