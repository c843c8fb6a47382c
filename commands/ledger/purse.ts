import { smaller, sum, ZERO } from '../../domain/ledger/money.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import { isFresh } from './exhaustions.ts';
import type { HeldLease } from './held-lease.ts';
import type { Hold, ReserveRequest } from './hold.ts';

/** A first lease brings this many calls' worth ahead of need. */
const FIRST_AHEAD = 15n;

/** A call that waits for the account's word. */
export interface Waiter {
  readonly request: ReserveRequest;
  readonly resolve: (answer: Hold | Refusal) => void;
}

/** Everything this process has in hand for one API key: its leases, who waits for another one, and how much to ask for ahead of need. */
export class Purse {
  readonly userId: UserId;
  readonly tokenId: TokenId;
  /** Those that admit calls. */
  leases: HeldLease[] = [];
  waiting: Waiter[] = [];
  /** The account is being asked. */
  asking = false;
  wantsAhead = false;
  ahead: Money = ZERO;
  /** When the account last had nothing to put in hand ahead of need; it is not asked again for each call. */
  aheadRefusedAt: number | null = null;
  /** What the latest call held: a lease taken ahead of need that could not hold one such call would be of no use. */
  latest: Money = ZERO;

  constructor(userId: UserId, tokenId: TokenId) {
    this.userId = userId;
    this.tokenId = tokenId;
  }

  get isEmpty(): boolean {
    return this.leases.length === 0 && this.waiting.length === 0 && !this.asking;
  }

  /** A lease in hand that can hold this much now. */
  leaseFor(amount: Money, now: number): HeldLease | undefined {
    for (const lease of this.leases) if (lease.admits(now) && lease.free >= amount) return lease;
    return undefined;
  }

  drop(lease: HeldLease): void {
    this.leases = this.leases.filter((other) => other !== lease);
  }

  /** What those who wait would like to hold, all together. */
  needed(): Money {
    return sum(this.waiting.map(({ request }) => request.amount));
  }

  /** The least that would serve one of those who wait; `null`: nobody does. */
  leastWaiting(): Money | null {
    return this.waiting.reduce<Money | null>(
      (least, { request }) => (least === null ? request.least : smaller(least, request.least)),
      null,
    );
  }

  /**
   * Hands a lease to each who waits and can be served. First come, first served; but whoever no lease can serve holds up nobody behind
   * him who asks for less.
   */
  serve(now: number, hand: (waiter: Waiter, lease: HeldLease, amount: Money) => void): void {
    const stillWaiting: Waiter[] = [];
    const waiting = this.waiting;
    this.waiting = [];
    for (const waiter of waiting) {
      const { amount, least } = waiter.request;
      const lease = this.leaseFor(amount, now) ?? this.leaseFor(least, now);
      if (lease === undefined) stillWaiting.push(waiter);
      else hand(waiter, lease, smaller(amount, lease.free));
    }
    this.waiting = [...stillWaiting, ...this.waiting];
  }

  /** How much to ask for beyond what is needed now. */
  aheadOf(needed: Money, ceiling: Money): Money {
    if (this.ahead === 0n) this.ahead = smaller((needed * FIRST_AHEAD) as Money, ceiling);
    return this.ahead;
  }

  /** A call has just been held on a lease: whether another lease is to be had before this one is spent. */
  runsLow(lease: HeldLease, now: number): boolean {
    const askedInVain = this.aheadRefusedAt !== null && isFresh(this.aheadRefusedAt, now);
    return lease.isLow && !this.wantsAhead && !askedInVain;
  }

  /** A lease was spent as soon as it was granted. */
  askForMore(ceiling: Money): void {
    this.ahead = smaller((this.ahead * 2n) as Money, ceiling);
  }

  /** A lease came back unused. */
  askForLess(): void {
    this.ahead = (this.ahead / 2n) as Money;
  }
}
