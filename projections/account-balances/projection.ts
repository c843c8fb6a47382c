import type { EventType } from '../../schemas/events/catalogue.ts';
import type { LeaseId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { Day, Instant } from '../../schemas/time.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { tableProjection, type Gathering, type Statement } from '../engine/projection.ts';
import {
  ACCOUNT_BALANCES,
  accountBalanceTables,
  LIFT_CAPS,
  TAKE_BACK_SPEND,
  WRITE_ACCOUNTS,
  WRITE_CAPS,
  WRITE_LEASES,
  WRITE_SPEND,
} from './tables.ts';

const TYPES = [
  'AccountOpened',
  'CreditGranted',
  'CreditExpired',
  'CreditAdjusted',
  'CapSet',
  'SpendLeaseGranted',
  'SpendLeaseSettled',
  'QuotaOverdrawn',
  'ChargeRefunded',
  'LeaseOpened',
  'LeaseExtended',
  'LeaseClosed',
  'QuotaDebited',
] as const satisfies readonly EventType[];

type BalanceEvent = ProjectedEvent<(typeof TYPES)[number]>;

/** What a batch does to one account. */
interface AccountDelta {
  timeZone: string | null;
  openedAt: Instant | null;
  wallet: bigint;
  held: bigint;
  refunded: bigint;
  overdrawn: bigint;
  position: Position;
}

interface CapChange {
  readonly userId: UserId;
  readonly tokenId: TokenId | '';
  readonly window: string;
  readonly amount: bigint | null;
  readonly position: Position;
}

/** What a batch says of one lease. */
interface LeaseDelta {
  userId: UserId | null;
  tokenId: TokenId | null;
  day: Day | null;
  amount: bigint | null;
  holder: string | null;
  admitsUntil: Instant | null;
  expiresAt: Instant | null;
  closed: boolean;
  settled: boolean;
  position: Position;
}

interface SpendDelta {
  readonly userId: UserId;
  readonly tokenId: TokenId;
  amount: bigint;
  calls: number;
  lastUsedAt: Instant;
  position: Position;
}

/** A refund that says where its charge counted. */
interface TakenBack {
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly day: Day;
  readonly amount: bigint;
  readonly position: Position;
}

const later = (a: Instant | null, b: Instant): Instant => (a === null || b > a ? b : a);

const asJson = (rows: readonly object[]): string =>
  JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

const statement = (text: string, rows: readonly object[]): readonly Statement[] =>
  rows.length === 0 ? [] : [{ text, values: [asJson(rows)] }];

class GatheredBalances implements Gathering<(typeof TYPES)[number]> {
  readonly #accounts = new Map<UserId, AccountDelta>();
  readonly #caps = new Map<string, CapChange>();
  readonly #leases = new Map<LeaseId, LeaseDelta>();
  readonly #spend = new Map<LeaseId, SpendDelta>();
  readonly #takenBack: TakenBack[] = [];

  add(event: BalanceEvent): void {
    const { type, data, position } = event;
    switch (type) {
      case 'AccountOpened': {
        const account = this.#account(data.userId, position);
        account.timeZone = data.timeZone;
        account.openedAt = event.occurredAt;
        return;
      }
      case 'CreditGranted':
      case 'CreditAdjusted':
        this.#account(data.userId, position).wallet += data.amount;
        return;
      case 'CreditExpired':
        this.#account(data.userId, position).wallet -= data.amount;
        return;
      case 'CapSet': {
        const tokenId = data.scope.kind === 'key' ? data.scope.tokenId : '';
        this.#caps.set(`${data.userId} ${tokenId} ${data.window}`, {
          userId: data.userId,
          tokenId,
          window: data.window,
          amount: data.amount,
          position,
        });
        return;
      }
      case 'SpendLeaseGranted': {
        const account = this.#account(data.userId, position);
        account.wallet -= data.amount;
        account.held += data.amount;
        const { userId, tokenId, day, amount, holder, admitsUntil } = data;
        const lease = this.#lease(data.leaseId, position);
        Object.assign(lease, { userId, tokenId, day, amount, holder, admitsUntil, expiresAt: later(lease.expiresAt, data.expiresAt) });
        return;
      }
      case 'SpendLeaseSettled': {
        const account = this.#account(data.userId, position);
        account.held -= data.returned;
        account.wallet += data.returned;
        this.#lease(data.leaseId, position).settled = true;
        return;
      }
      case 'QuotaOverdrawn':
        this.#account(data.userId, position).overdrawn += data.amount;
        return;
      case 'ChargeRefunded': {
        const account = this.#account(data.userId, position);
        account.wallet += data.amount;
        account.refunded += data.amount;
        const { userId, tokenId, day, amount } = data;
        if (tokenId !== undefined && day !== undefined) this.#takenBack.push({ userId, tokenId, day, amount, position });
        return;
      }
      case 'LeaseOpened': {
        const { userId, tokenId, day, amount } = data;
        Object.assign(this.#lease(data.leaseId, position), { userId, tokenId, day, amount });
        return;
      }
      case 'LeaseExtended': {
        const lease = this.#lease(data.leaseId, position);
        lease.expiresAt = later(lease.expiresAt, data.expiresAt);
        return;
      }
      case 'LeaseClosed':
        this.#lease(data.leaseId, position).closed = true;
        return;
      case 'QuotaDebited': {
        const { userId, tokenId, leaseId, amount, call } = data;
        const account = this.#account(userId, position);
        account.held -= amount;
        let spend = this.#spend.get(leaseId);
        if (spend === undefined) {
          spend = { userId, tokenId, amount: 0n, calls: 0, lastUsedAt: call.startedAt, position };
          this.#spend.set(leaseId, spend);
        }
        spend.amount += amount;
        spend.calls += 1;
        spend.lastUsedAt = later(spend.lastUsedAt, call.startedAt);
        spend.position = position;
      }
    }
  }

  statements(): readonly Statement[] {
    const caps = [...this.#caps.values()].map(({ userId, tokenId, window, amount, position }) => ({
      user_id: userId,
      token_id: tokenId,
      time_window: window,
      amount,
      position,
    }));
    return [
      ...statement(
        WRITE_ACCOUNTS,
        [...this.#accounts].map(([userId, { timeZone, openedAt, ...sums }]) => ({
          user_id: userId,
          time_zone: timeZone,
          opened_at: openedAt,
          ...sums,
        })),
      ),
      ...statement(
        LIFT_CAPS,
        caps.filter(({ amount }) => amount === null),
      ),
      ...statement(
        WRITE_CAPS,
        caps.filter(({ amount }) => amount !== null),
      ),
      ...statement(
        WRITE_LEASES,
        [...this.#leases].map(([leaseId, { userId, tokenId, admitsUntil, expiresAt, ...rest }]) => ({
          lease_id: leaseId,
          user_id: userId,
          token_id: tokenId,
          admits_until: admitsUntil,
          expires_at: expiresAt,
          ...rest,
        })),
      ),
      ...statement(
        WRITE_SPEND,
        [...this.#spend].map(([leaseId, { userId, tokenId, lastUsedAt, ...sums }]) => ({
          lease_id: leaseId,
          user_id: userId,
          token_id: tokenId,
          last_used_at: lastUsedAt,
          ...sums,
        })),
      ),
      ...statement(
        TAKE_BACK_SPEND,
        this.#takenBack.map(({ userId, tokenId, ...rest }) => ({ user_id: userId, token_id: tokenId, ...rest })),
      ),
    ];
  }

  #account(userId: UserId, position: Position): AccountDelta {
    let account = this.#accounts.get(userId);
    if (account === undefined) {
      account = { timeZone: null, openedAt: null, wallet: 0n, held: 0n, refunded: 0n, overdrawn: 0n, position };
      this.#accounts.set(userId, account);
    }
    account.position = position;
    return account;
  }

  #lease(leaseId: LeaseId, position: Position): LeaseDelta {
    let lease = this.#leases.get(leaseId);
    if (lease === undefined) {
      lease = {
        userId: null,
        tokenId: null,
        day: null,
        amount: null,
        holder: null,
        admitsUntil: null,
        expiresAt: null,
        closed: false,
        settled: false,
        position,
      };
      this.#leases.set(leaseId, lease);
    }
    lease.position = position;
    return lease;
  }
}

/** What each user has, has set aside and has spent, with the caps that bound it and the leases that are open. */
export const accountBalances = tableProjection({
  ...ACCOUNT_BALANCES,
  types: TYPES,
  tables: accountBalanceTables,
  gather: () => new GatheredBalances(),
});
