import { larger, smaller, subtract } from '../../domain/ledger/money.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { AccountEvent } from '../../schemas/events/catalogue.ts';
import type { TokenId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Appender } from '../ports/appender.ts';
import type { Clock } from '../ports/clock.ts';
import type { DurableTimes } from '../ports/durable-times.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { AccountBook } from './account-book.ts';
import { AccountNews } from './account-news.ts';
import { Exhaustions } from './exhaustions.ts';
import type { HeldLease } from './held-lease.ts';
import { recordable, type ChargeRequest, type Hold, type ReleaseRequest, type ReserveRequest } from './hold.ts';
import { LeaseAccounts } from './lease-accounts.ts';
import { DEFAULT_LEASE_POLICY, type LeasePolicy } from './lease-policy.ts';
import { LeasesInHand } from './leases-in-hand.ts';
import { NO_FAILPOINTS } from './no-failpoints.ts';
import type { Purse } from './purse.ts';

export interface LeaseKeeperOptions {
  readonly book: AccountBook;
  readonly appender: Appender;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Names this process in the leases that it takes. */
  readonly holder: string;
  readonly policy?: LeasePolicy;
  readonly failpoints?: Failpoints;
  readonly times?: DurableTimes;
  /** Whether what is appended now would only wait: no call is begun then that its upstream bills and nobody can be charged for. */
  readonly isLogStuck?: () => boolean;
  /** Told when a key's total quota is spent for good, so that the key can be marked. */
  readonly onKeyExhausted?: (tokenId: TokenId) => void;
}

interface TakenHold extends Hold {
  readonly lease: HeldLease;
  readonly model: string;
  ended: boolean;
}

const NO_TIMES: DurableTimes = { now: () => 0, durable: () => undefined };

const QUOTA_CODES: ReadonlySet<string> = new Set(['insufficient_quota', 'cap_reached', 'key_exhausted']);

/**
 * Spends money on behalf of calls, out of leases that it takes from accounts ahead of need. The hot path (`reserve` with a
 * lease in hand, `charge`) is arithmetic in memory and an event handed to the group commit; only a purse that runs low asks
 * the account.
 */
export class LeaseKeeper {
  readonly #clock: Clock;
  readonly #policy: LeasePolicy;
  readonly #failpoints: Failpoints;
  readonly #isLogStuck: () => boolean;
  readonly #onKeyExhausted: (tokenId: TokenId) => void;
  readonly #accounts: LeaseAccounts;
  readonly #inHand: LeasesInHand;
  readonly #exhausted = new Exhaustions();
  readonly #news = new AccountNews();
  #fillsUnderWay = 0;
  #stopping = false;
  #onEmpty: () => void = () => undefined;

  constructor(options: LeaseKeeperOptions) {
    const { book, appender, clock, ids, holder } = options;
    const { policy = DEFAULT_LEASE_POLICY, failpoints = NO_FAILPOINTS, times = NO_TIMES } = options;
    this.#clock = clock;
    this.#policy = policy;
    this.#failpoints = failpoints;
    this.#isLogStuck = options.isLogStuck ?? (() => false);
    this.#onKeyExhausted = options.onKeyExhausted ?? (() => undefined);
    this.#accounts = new LeaseAccounts({ book, clock, ids, holder, policy, failpoints });
    const onGone = (): void => this.#reportEmpty();
    this.#inHand = new LeasesInHand({ accounts: this.#accounts, appender, clock, policy, failpoints, times, onGone });
  }

  /** Leases and holds in hand, for metrics. */
  stats(): { readonly leases: number; readonly holds: number; readonly waiting: number } {
    let holds = 0;
    let waiting = 0;
    for (const lease of this.#inHand.leases()) holds += lease.holds;
    for (const purse of this.#inHand.purses()) waiting += purse.waiting.length;
    return { leases: this.#inHand.size, holds, waiting };
  }

  /**
   * Sets money aside for a call: at once when a lease in hand covers it. Otherwise the account is asked, and the hold may be
   * smaller than `amount`, but never than `least`. Refusals: `insufficient_quota`, `cap_reached`, `key_exhausted`,
   * `log_unavailable`, `log_busy`, `shutting_down`.
   */
  reserve(call: ReserveRequest): Hold | Refusal | Promise<Hold | Refusal> {
    if (this.#stopping) return refuse('shutting_down');
    if (this.#isLogStuck()) return refuse('log_unavailable');
    // A call that costs something is never worth making on nothing.
    const request = call.least === 0n && call.amount > 0n ? { ...call, least: 1n as Money } : call;
    const now = this.#clock.now();
    const purse = this.#inHand.purseOf(request.userId, request.tokenId);
    if (purse.waiting.length === 0) {
      const lease = purse.leaseFor(request.amount, now);
      if (lease !== undefined) return this.#hold(purse, lease, request, request.amount, now);
    }
    const exhausted = this.#exhausted.wordOn(request.tokenId, request.least, now);
    if (exhausted !== null) {
      const someLeft = purse.waiting.length === 0 ? purse.leaseFor(request.least, now) : undefined;
      return someLeft === undefined ? exhausted : this.#hold(purse, someLeft, request, someLeft.free, now);
    }
    return new Promise((resolve) => {
      purse.waiting.push({ request, resolve });
      void this.#fill(purse);
    });
  }

  /**
   * Turns a hold into a charge of at most the hold. Resolves when it is durable; the hold may still be on its way, which the charge follows into the
   * log, most often in one append. What the upstream billed beyond the hold becomes an entry of its own, before the lease is settled at the latest.
   */
  charge(hold: Hold, request: ChargeRequest): Promise<{ readonly amount: Money } | Refusal> {
    const taken = hold as TakenHold;
    // A hold that has ended already is a rejection, not a throw.
    return taken.ended ? taken.durable.then((refusal) => refusal ?? this.#debit(taken, request)) : this.#debit(taken, request);
  }

  /** No async function, and no copy of what is asked for: one of these is on the way of every call. */
  #debit(hold: TakenHold, request: ChargeRequest): Promise<{ readonly amount: Money } | Refusal> {
    const { lease, model, requestId } = this.#end(hold);
    const charge = recordable(request, hold.amount);
    const amount = smaller(charge.computed, hold.amount);
    lease.spent = (lease.spent + amount) as Money;
    lease.held = (lease.held - hold.amount) as Money;
    const { leaseId, userId, tokenId } = lease;
    const recorded = lease.record(
      {
        type: 'QuotaDebited',
        data: {
          leaseId,
          userId,
          tokenId,
          requestId,
          model,
          channelId: charge.channelId,
          attemptId: charge.attemptId,
          priceListId: charge.priceListId,
          groupRatio: charge.groupRatio,
          usage: charge.usage,
          basis: charge.basis,
          amount,
          computed: charge.computed,
          upstreamCost: charge.upstreamCost,
          call: charge.call,
        },
      },
      requestId,
      'end',
    );
    this.#failpoints.hit('debit.enqueued');
    return recorded.then((refusal) => {
      if (refusal === null) this.#failpoints.hit('debit.durable');
      if (refusal === null && charge.computed > amount) return this.#overdraw(hold, amount, subtract(charge.computed, amount));
      this.#inHand.afterEnd(lease);
      return refusal ?? { amount };
    });
  }

  /** What goes beyond a hold that was charged. */
  async #overdraw({ lease, model, requestId }: TakenHold, amount: Money, beyond: Money): Promise<{ readonly amount: Money }> {
    await this.#inHand.overdraw(lease, { requestId, model, amount: beyond });
    this.#inHand.afterEnd(lease);
    return { amount };
  }

  /** Gives a hold back: nothing is charged. */
  async release(hold: Hold, release: ReleaseRequest): Promise<Refusal | null> {
    const reserved = await hold.durable;
    if (reserved !== null) return reserved;
    const { lease, model } = this.#end(hold);
    lease.held = (lease.held - hold.amount) as Money;
    const { leaseId, userId, tokenId } = lease;
    const refusal = await lease.record(
      { type: 'QuotaReleased', data: { leaseId, userId, tokenId, requestId: hold.requestId, model, ...release } },
      hold.requestId,
      'end',
    );
    this.#inHand.afterEnd(lease);
    return refusal;
  }

  /** News of an account, from the log: someone wants a lease of ours back, or there is money again. */
  onAccountEvent({ type, data }: AccountEvent): void {
    if (type === 'LeaseReturnRequested') {
      const lease = this.#inHand.get(data.leaseId);
      if (lease !== undefined) this.#inHand.drain(lease, 'recalled');
      return;
    }
    if (type === 'SpendLeaseGranted' || type === 'QuotaOverdrawn') return;
    for (const purse of this.#inHand.purses()) {
      if (purse.userId !== data.userId) continue;
      this.#exhausted.forget(purse.tokenId);
      purse.aheadRefusedAt = null;
    }
    this.#news.moved(data.userId);
  }

  /** Once a second or so: gives back what is idle or ended, and asks for more time where calls still run. */
  tick(): void {
    const now = this.#clock.now();
    this.#inHand.tick(now);
    this.#exhausted.forgetStale(now);
  }

  /** Admits nothing more, waits for the calls in flight to end, and gives every lease back. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const purse of this.#inHand.purses()) for (const { resolve } of purse.waiting.splice(0)) resolve(refuse('shutting_down'));
    for (const lease of this.#inHand.leases()) this.#inHand.drain(lease, 'shutdown');
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      this.#reportEmpty();
    });
  }

  #reportEmpty(): void {
    if (this.#inHand.size === 0 && this.#fillsUnderWay === 0) this.#onEmpty();
  }

  #hold(purse: Purse, lease: HeldLease, request: ReserveRequest, amount: Money, now: number): Hold {
    lease.held = (lease.held + amount) as Money;
    lease.holds++;
    lease.lastUsedAt = now;
    purse.latest = amount;
    const { leaseId, userId, tokenId } = lease;
    const { requestId, model, priceListId } = request;
    let hold: TakenHold | null = null;
    const durable = lease.record(
      { type: 'QuotaReserved', data: { leaseId, userId, tokenId, requestId, model, priceListId, amount } },
      requestId,
      'reserve',
      () => hold !== null && this.#undo(hold),
    );
    this.#failpoints.hit('reservation.enqueued');
    if (purse.runsLow(lease, now)) {
      if (now - lease.grantedAt < this.#policy.fastMs) purse.askForMore(this.#policy.aheadCeiling);
      purse.wantsAhead = true;
      void this.#fill(purse);
    }
    const taken: TakenHold = { requestId, leaseId, amount, durable, lease, model, ended: false };
    hold = taken;
    void durable.then((refusal) => this.#afterReservation(taken, refusal));
    return taken;
  }

  #afterReservation(hold: TakenHold, refusal: Refusal | null): void {
    if (refusal === null) this.#failpoints.hit('reservation.durable');
    else this.#undo(hold);
  }

  /** A reservation that the log refused ends by itself: there is nothing to charge or release. False when it has ended otherwise. */
  #undo(hold: TakenHold): boolean {
    if (hold.ended) return false;
    hold.ended = true;
    hold.lease.held = (hold.lease.held - hold.amount) as Money;
    this.#inHand.afterEnd(hold.lease);
    return true;
  }

  #end(hold: Hold): TakenHold {
    const taken = hold as TakenHold;
    if (taken.ended) throw new Error(`hold ${hold.requestId} has ended already`);
    taken.ended = true;
    return taken;
  }

  /** Serves whoever waits, from leases in hand and then from the account, until nobody waits or the account says no. */
  async #fill(purse: Purse): Promise<void> {
    if (purse.asking) return;
    purse.asking = true;
    this.#fillsUnderWay++;
    try {
      let giveUpAt: number | null = null;
      for (;;) {
        this.#serveWaiting(purse);
        if (purse.waiting.length === 0 && (!purse.wantsAhead || this.#stopping)) return;
        const least = purse.leastWaiting();
        const granted = await this.#ask(purse, least ?? purse.latest);
        purse.wantsAhead = false;
        if (!isRefusal(granted)) {
          const lease = this.#inHand.accept(purse, granted);
          if (this.#stopping) this.#inHand.drain(lease, 'shutdown');
          continue;
        }
        if (least === null) {
          purse.aheadRefusedAt = this.#clock.now();
          continue;
        }
        this.#serveWaiting(purse);
        if (purse.waiting.length === 0) continue;
        giveUpAt ??= this.#clock.now() + this.#policy.returnWaitMs;
        if (QUOTA_CODES.has(granted.refused) && this.#clock.now() < giveUpAt && (await this.#recall(purse))) continue;
        this.#refuseWaiting(purse, granted, least);
        giveUpAt = null;
      }
    } finally {
      purse.asking = false;
      this.#fillsUnderWay--;
      this.#reportEmpty();
    }
  }

  #serveWaiting(purse: Purse): void {
    const now = this.#clock.now();
    purse.serve(now, ({ request, resolve }, lease, amount) => resolve(this.#hold(purse, lease, request, amount, now)));
  }

  #ask(purse: Purse, least: Money): ReturnType<LeaseAccounts['grant']> {
    const { userId, tokenId } = purse;
    const needed = purse.needed();
    const ahead = purse.aheadOf(needed, this.#policy.aheadCeiling);
    return this.#accounts.grant({ userId, tokenId, least: larger(least, 1n as Money), needed, ahead });
  }

  /** The account's word is about the least that was asked for; whoever came meanwhile and needs less is asked for anew. */
  #refuseWaiting(purse: Purse, refusal: Refusal, least: Money): void {
    const refused = purse.waiting.filter(({ request }) => request.least >= least);
    purse.waiting = purse.waiting.filter(({ request }) => request.least < least);
    if (QUOTA_CODES.has(refusal.refused)) this.#exhausted.believe(purse.tokenId, refusal, least, this.#clock.now());
    if (refusal.refused === 'key_exhausted') void this.#tellIfKeySpent(purse);
    for (const { resolve } of refused) resolve(refusal);
  }

  async #tellIfKeySpent({ userId, tokenId }: Purse): Promise<void> {
    if (await this.#accounts.isKeySpent(userId, tokenId)) this.#onKeyExhausted(tokenId);
  }

  /** Gets idle money back, from our own purses at once and from other processes by asking. True when something came back. */
  async #recall({ userId }: Purse): Promise<boolean> {
    if (await this.#inHand.returnIdle(userId)) return true;
    if (!(await this.#accounts.othersHold(userId))) return false;
    const news = this.#news.next(userId, this.#policy.returnWaitMs);
    await this.#accounts.requestReturns(userId);
    return news;
  }
}
