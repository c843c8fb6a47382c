import { refuse, type ErrorCode, type Refusal } from '../../schemas/errors.ts';
import type { CapScope, CapWindow, FundingSource } from '../../schemas/events/account.ts';
import type { AccountEvent } from '../../schemas/events/catalogue.ts';
import type { LeaseId, RequestId, StreamName, TokenId, UserId } from '../../schemas/ids.ts';
import { LARGEST_AMOUNT, type Money } from '../../schemas/money.ts';
import type { Day } from '../../schemas/time.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';
import { add, larger, smaller, subtract, sum, toDollarText, ZERO } from './money.ts';
import { dayOf, endOfDay, monthOf } from './time-window.ts';
import { NOTHING_SPENT, spend, spentIn, unspend, type WindowedSpend } from './windowed-spend.ts';

export const accountStream = (userId: UserId): StreamName => streamName('account', userId);

/** Money that has left the wallet for a process to spend, until it is settled. */
export interface OpenLease {
  readonly tokenId: TokenId;
  readonly holder: string;
  readonly amount: Money;
  readonly day: Day;
  readonly returnRequested: boolean;
}

export interface Account {
  readonly opened: boolean;
  readonly timeZone: string;
  /** What may be put into leases. Never below zero. */
  readonly wallet: Money;
  readonly leases: ReadonlyMap<LeaseId, OpenLease>;
  readonly spent: WindowedSpend;
  readonly spentByKey: ReadonlyMap<TokenId, WindowedSpend>;
  readonly caps: ReadonlyMap<string, Money>;
  /** What each refunded charge has been given back. */
  readonly refunded: ReadonlyMap<RequestId, Money>;
}

const initial: Account = {
  opened: false,
  timeZone: 'UTC',
  wallet: ZERO,
  leases: new Map(),
  spent: NOTHING_SPENT,
  spentByKey: new Map(),
  caps: new Map(),
  refunded: new Map(),
};

const capKey = (scope: CapScope, window: CapWindow): string => `${scope.kind === 'key' ? scope.tokenId : 'user'}:${window}`;

const withEntry = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key, value: Value): ReadonlyMap<Key, Value> =>
  new Map(map).set(key, value);

const without = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): ReadonlyMap<Key, Value> => {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
};

const evolve = (state: Account, { type, data }: AccountEvent): Account => {
  switch (type) {
    case 'AccountOpened':
      return { ...state, opened: true, timeZone: data.timeZone };
    case 'CreditGranted':
    case 'CreditAdjusted':
      return { ...state, wallet: add(state.wallet, data.amount) };
    case 'CreditExpired':
      return { ...state, wallet: subtract(state.wallet, data.amount) };
    case 'CapSet': {
      const key = capKey(data.scope, data.window);
      return { ...state, caps: data.amount === null ? without(state.caps, key) : withEntry(state.caps, key, data.amount) };
    }
    case 'SpendLeaseGranted':
      return {
        ...state,
        wallet: subtract(state.wallet, data.amount),
        leases: withEntry(state.leases, data.leaseId, {
          tokenId: data.tokenId,
          holder: data.holder,
          amount: data.amount,
          day: data.day,
          returnRequested: false,
        }),
      };
    case 'LeaseReturnRequested': {
      const lease = state.leases.get(data.leaseId);
      return lease === undefined ? state : { ...state, leases: withEntry(state.leases, data.leaseId, { ...lease, returnRequested: true }) };
    }
    case 'SpendLeaseSettled': {
      const lease = state.leases.get(data.leaseId);
      if (lease === undefined) return state;
      return {
        ...state,
        wallet: add(state.wallet, data.returned),
        leases: without(state.leases, data.leaseId),
        spent: spend(state.spent, lease.day, data.spent),
        spentByKey: withEntry(
          state.spentByKey,
          lease.tokenId,
          spend(state.spentByKey.get(lease.tokenId) ?? NOTHING_SPENT, lease.day, data.spent),
        ),
      };
    }
    case 'ChargeRefunded': {
      const { tokenId, day, amount, leaseId, requestId } = data;
      const refunded = {
        ...state,
        wallet: add(state.wallet, amount),
        refunded: withEntry(state.refunded, requestId, add(state.refunded.get(requestId) ?? ZERO, amount)),
      };
      if (tokenId === undefined || day === undefined) return refunded;
      // An open lease counts in full, and what was spent of it only when it is settled.
      const isAhead = state.leases.has(leaseId);
      const spentByKey = unspend(state.spentByKey.get(tokenId) ?? NOTHING_SPENT, day, amount, isAhead);
      return {
        ...refunded,
        spent: unspend(state.spent, day, amount, isAhead),
        spentByKey: withEntry(state.spentByKey, tokenId, spentByKey),
      };
    }
    case 'QuotaOverdrawn':
      return state;
  }
};

export interface GrantSpendLease {
  readonly kind: 'grantSpendLease';
  readonly leaseId: LeaseId;
  readonly tokenId: TokenId;
  readonly holder: string;
  /** Below this the lease would serve nobody and is refused. */
  readonly least: Money;
  /** What the calls that wait would hold, all together. */
  readonly needed: Money;
  /** What the holder would like to have in hand beyond that, so that later calls find a lease waiting. */
  readonly ahead: Money;
  /** Milliseconds since the Unix epoch, by the holder's clock. */
  readonly now: number;
  readonly admitsForMs: number;
  readonly graceMs: number;
}

export type AccountCommand =
  | { readonly kind: 'openAccount'; readonly timeZone: string }
  | { readonly kind: 'grantCredit'; readonly amount: Money; readonly source: FundingSource; readonly reason: string }
  | { readonly kind: 'expireCredit'; readonly amount: Money; readonly source: FundingSource }
  | { readonly kind: 'adjustCredit'; readonly amount: Money; readonly reason: string }
  | { readonly kind: 'setCap'; readonly scope: CapScope; readonly window: CapWindow; readonly amount: Money | null }
  | GrantSpendLease
  /** Asks everyone but `holder`, who asks: its own leases it gives back by itself. */
  | { readonly kind: 'requestLeaseReturns'; readonly holder: string }
  | { readonly kind: 'settleLease'; readonly leaseId: LeaseId; readonly spent: Money }
  | {
      readonly kind: 'recordOverdraft';
      readonly leaseId: LeaseId;
      readonly tokenId: TokenId;
      readonly requestId: RequestId;
      readonly model: string;
      readonly amount: Money;
    }
  | {
      readonly kind: 'refundCharge';
      readonly leaseId: LeaseId;
      readonly requestId: RequestId;
      readonly model: string;
      readonly charged: Money;
      readonly amount: Money;
      readonly reason: string;
      /** Where the charge counted against caps. */
      readonly counted: { readonly tokenId: TokenId; readonly day: Day };
    };

/**
 * The share of what is left that may be put in hand ahead of need. Small enough that a balance running low shrinks
 * leases to single holds long before it is gone.
 */
const AHEAD_SHARE = 32n;

/** Most holders that are asked at once to return a lease: what comes back from so many is enough, and one append must hold them. */
const RETURNS_ASKED = 500;

interface Limit {
  readonly left: Money;
  readonly code: ErrorCode;
  readonly message: string;
}

const WINDOW_WORDS: Readonly<Record<CapWindow, string>> = { day: 'daily', month: 'monthly', total: 'total' };

/** Everything that bounds what one key may take right now, tightest or not. Leases count in full until they are settled. */
const limitsOf = (state: Account, tokenId: TokenId, day: Day): readonly Limit[] => {
  const limits: Limit[] = [
    {
      left: state.wallet,
      code: 'insufficient_quota',
      message: `The balance does not cover this call: ${toDollarText(state.wallet)} USD are available. Add credit, or lower max_tokens.`,
    },
  ];
  const leased = (window: CapWindow, mine: (lease: OpenLease) => boolean): Money =>
    sum(
      [...state.leases.values()]
        .filter(
          (lease) => mine(lease) && (window === 'total' || (window === 'day' ? lease.day === day : monthOf(lease.day) === monthOf(day))),
        )
        .map((lease) => lease.amount),
    );

  for (const window of ['day', 'month', 'total'] as const) {
    const userCap = state.caps.get(capKey({ kind: 'user' }, window));
    if (userCap !== undefined) {
      const used = add(
        spentIn(state.spent, window, day),
        leased(window, () => true),
      );
      limits.push({
        left: larger(ZERO, subtract(userCap, used)),
        code: 'cap_reached',
        message: `The ${WINDOW_WORDS[window]} spending cap of ${toDollarText(userCap)} USD has been reached.`,
      });
    }
    const keyCap = state.caps.get(capKey({ kind: 'key', tokenId }, window));
    if (keyCap !== undefined) {
      const used = add(
        spentIn(state.spentByKey.get(tokenId) ?? NOTHING_SPENT, window, day),
        leased(window, (lease) => lease.tokenId === tokenId),
      );
      limits.push({
        left: larger(ZERO, subtract(keyCap, used)),
        code: window === 'total' ? 'key_exhausted' : 'cap_reached',
        message: `The API key’s ${WINDOW_WORDS[window]} quota of ${toDollarText(keyCap)} USD does not cover this call.`,
      });
    }
  }
  return limits;
};

const grantSpendLease = (command: GrantSpendLease, state: Account, userId: UserId): readonly AccountEvent[] | Refusal => {
  if (state.leases.has(command.leaseId)) return [];
  const day = dayOf(command.now, state.timeZone);
  const tightest = limitsOf(state, command.tokenId, day).reduce((a, b) => (b.left < a.left ? b : a));
  if (tightest.left < command.least || tightest.left === 0n) return refuse(tightest.code, tightest.message);

  const wished = command.needed === 0n ? larger(command.ahead, command.least) : command.ahead;
  const share = smaller(wished, (tightest.left / AHEAD_SHARE) as Money);
  // In whole calls: a remainder would be of use to no call, and many of them could keep the last call from being served.
  const ahead = command.least === 0n ? share : ((share - (share % command.least)) as Money);
  // Nobody waits: what little is left is better left in the wallet, where every key of the user can reach it.
  if (command.needed === 0n && ahead === 0n) return refuse(tightest.code, tightest.message);
  const wanted = larger(add(command.needed, ahead), command.least);
  const admitsUntil = Math.min(command.now + command.admitsForMs, endOfDay(command.now, state.timeZone));
  return [
    {
      type: 'SpendLeaseGranted',
      data: {
        userId,
        leaseId: command.leaseId,
        tokenId: command.tokenId,
        holder: command.holder,
        amount: smaller(wanted, tightest.left),
        day,
        admitsUntil: new Date(admitsUntil).toISOString(),
        expiresAt: new Date(admitsUntil + command.graceMs).toISOString(),
      },
    },
  ];
};

/** All that the user has, in the wallet or set aside. */
export const balanceOf = (state: Account): Money => add(state.wallet, sum([...state.leases.values()].map(({ amount }) => amount)));

const hasRoomFor = (state: Account, amount: Money): boolean => balanceOf(state) + amount <= LARGEST_AMOUNT;

const accountIsFull = (): Refusal => refuse('invalid_request', 'That is more than an account can hold.', { param: 'amount' });

/** Below this share of its total quota a key has nothing left that is worth a call. */
const SPENT_KEY_SHARE = 1_000n;

/** Whether a key's total quota is spent for good: settled, and not merely set aside in a lease that may come back. */
export const isKeySpent = (state: Account, tokenId: TokenId): boolean => {
  const cap = state.caps.get(capKey({ kind: 'key', tokenId }, 'total'));
  if (cap === undefined) return false;
  const left = subtract(cap, state.spentByKey.get(tokenId)?.total ?? ZERO);
  return left * SPENT_KEY_SHARE < cap || left <= 0n;
};

const decide = (command: AccountCommand, state: Account, userId: UserId): readonly AccountEvent[] | Refusal => {
  if (command.kind === 'openAccount') {
    if (state.opened) return refuse('already_exists', 'The account is open already.');
    return [{ type: 'AccountOpened', data: { userId, timeZone: command.timeZone } }];
  }
  if (!state.opened) return refuse('not_found', 'There is no such account.');

  switch (command.kind) {
    case 'grantCredit':
      if (command.amount <= 0n) return refuse('invalid_request', 'Credit must be more than nothing.', { param: 'amount' });
      if (!hasRoomFor(state, command.amount)) return accountIsFull();
      return [{ type: 'CreditGranted', data: { userId, amount: command.amount, source: command.source, reason: command.reason } }];
    case 'expireCredit': {
      const amount = smaller(command.amount, state.wallet);
      return amount <= 0n ? [] : [{ type: 'CreditExpired', data: { userId, amount, source: command.source } }];
    }
    case 'adjustCredit':
      if (command.amount === 0n) return refuse('invalid_request', 'An adjustment of nothing changes nothing.', { param: 'amount' });
      if (state.wallet + command.amount < 0n)
        return refuse('exceeds_balance', `Only ${toDollarText(state.wallet)} USD are available to take away.`, { param: 'amount' });
      if (!hasRoomFor(state, command.amount)) return accountIsFull();
      return [{ type: 'CreditAdjusted', data: { userId, amount: command.amount, reason: command.reason } }];
    case 'setCap':
      if (state.caps.get(capKey(command.scope, command.window)) === (command.amount ?? undefined)) return [];
      return [{ type: 'CapSet', data: { userId, scope: command.scope, window: command.window, amount: command.amount } }];
    case 'grantSpendLease':
      return grantSpendLease(command, state, userId);
    case 'requestLeaseReturns':
      return [...state.leases]
        .filter(([, lease]) => !lease.returnRequested && lease.holder !== command.holder)
        .slice(0, RETURNS_ASKED)
        .map(([leaseId]) => ({ type: 'LeaseReturnRequested', data: { userId, leaseId } }) as const);
    case 'settleLease': {
      const lease = state.leases.get(command.leaseId);
      if (lease === undefined) return [];
      if (command.spent > lease.amount) throw new Error(`lease ${command.leaseId} of ${lease.amount} cannot have spent ${command.spent}`);
      return [
        {
          type: 'SpendLeaseSettled',
          data: {
            userId,
            leaseId: command.leaseId,
            tokenId: lease.tokenId,
            spent: command.spent,
            returned: subtract(lease.amount, command.spent),
          },
        },
      ];
    }
    case 'recordOverdraft':
      return [
        {
          type: 'QuotaOverdrawn',
          data: {
            userId,
            leaseId: command.leaseId,
            tokenId: command.tokenId,
            requestId: command.requestId,
            model: command.model,
            amount: command.amount,
          },
        },
      ];
    case 'refundCharge': {
      const left = subtract(command.charged, state.refunded.get(command.requestId) ?? ZERO);
      if (command.amount <= 0n) return refuse('invalid_request', 'A refund must be more than nothing.', { param: 'amount' });
      if (command.amount > left)
        return refuse('exceeds_charge', `Of this charge ${toDollarText(left)} USD can still be refunded.`, { param: 'amount' });
      if (!hasRoomFor(state, command.amount)) return accountIsFull();
      return [
        {
          type: 'ChargeRefunded',
          data: {
            userId,
            leaseId: command.leaseId,
            ...command.counted,
            requestId: command.requestId,
            model: command.model,
            amount: command.amount,
            reason: command.reason,
          },
        },
      ];
    }
  }
};

/** The account of one user: the only place where it is decided that money may be spent. */
export const accountOf = (userId: UserId): Decider<Account, AccountCommand, AccountEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, userId),
});
