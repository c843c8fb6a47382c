import { isKeySpent } from '../../domain/ledger/account.ts';
import { larger, smaller, subtract, sum, ZERO } from '../../domain/ledger/money.ts';
import type { Overdraft } from '../../domain/ledger/lease.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { AccountEvent, EventOf } from '../../schemas/events/catalogue.ts';
import {
  LeaseId,
  type AttemptId,
  type ChannelId,
  type CommandId,
  type PriceListId,
  type RequestId,
  type TokenId,
  type UserId,
} from '../../schemas/ids.ts';
import type { CallFacts, ChargeBasis, ReleaseReason } from '../../schemas/events/lease.ts';
import { LARGEST_AMOUNT, type Money } from '../../schemas/money.ts';
import type { Ratio } from '../../schemas/price.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { CommandContext } from '../command-context.ts';
import type { Appender } from '../ports/appender.ts';
import type { Clock } from '../ports/clock.ts';
import type { DurableTimes } from '../ports/durable-times.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { AccountBook } from './account-book.ts';
import { AccountNews } from './account-news.ts';
import { Exhaustions, isFresh } from './exhaustions.ts';
import { NO_FAILPOINTS } from './no-failpoints.ts';
import { HeldLease, type CloseReason } from './held-lease.ts';
import { DEFAULT_LEASE_POLICY, type LeasePolicy } from './lease-policy.ts';

/** One reservation. `durable` resolves once it is in the log, with `null`, or with why it never will be. */
export interface Hold {
  readonly requestId: RequestId;
  readonly leaseId: LeaseId;
  readonly amount: Money;
  readonly durable: Promise<Refusal | null>;
}

export interface ReserveRequest {
  readonly requestId: RequestId;
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly model: string;
  readonly priceListId: PriceListId;
  /** The worst case of the call. */
  readonly amount: Money;
  /** The least hold that makes the call worth making. */
  readonly least: Money;
}

export interface ChargeRequest {
  readonly channelId: ChannelId;
  readonly attemptId: AttemptId;
  readonly priceListId: PriceListId;
  readonly groupRatio: Ratio;
  readonly usage: Usage;
  readonly basis: ChargeBasis;
  readonly computed: Money;
  readonly upstreamCost: Money;
  readonly call: CallFacts;
}

export interface ReleaseRequest {
  readonly reason: ReleaseReason;
  readonly reconcile: boolean;
  readonly call: CallFacts;
}

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
  /** Told when a key's total quota is spent for good, so that the key can be marked. */
  readonly onKeyExhausted?: (tokenId: TokenId) => void;
}

interface TakenHold extends Hold {
  readonly lease: HeldLease;
  readonly model: string;
  ended: boolean;
}

interface Waiter {
  readonly request: ReserveRequest;
  readonly resolve: (answer: Hold | Refusal) => void;
}

/** Everything this process has in hand for one API key. */
interface Purse {
  readonly userId: UserId;
  readonly tokenId: TokenId;
  leases: HeldLease[];
  waiting: Waiter[];
  asking: boolean;
  wantsAhead: boolean;
  ahead: Money;
  /** When the account last had nothing to put in hand ahead of need; it is not asked again for each call. */
  aheadRefusedAt: number | null;
  /** What the latest call held: a lease taken ahead of need that could not hold one such call would be of no use. */
  latest: Money;
}

/** A first lease brings this many calls' worth ahead of need. */
const FIRST_AHEAD = 15n;

const NO_TIMES: DurableTimes = { now: () => 0, durable: () => undefined };

const QUOTA_CODES: ReadonlySet<string> = new Set(['insufficient_quota', 'cap_reached', 'key_exhausted']);

const isAmount = (value: bigint): boolean => value >= 0n && value <= LARGEST_AMOUNT;

/** A cost that no event can hold is not to be believed, so the hold itself is charged and flagged. */
const recordable = (charge: ChargeRequest, held: Money): ChargeRequest => {
  if (isAmount(charge.computed) && isAmount(charge.upstreamCost)) return charge;
  const upstreamCost = isAmount(charge.upstreamCost) ? charge.upstreamCost : held;
  return isAmount(charge.computed) ? { ...charge, upstreamCost } : { ...charge, basis: 'held', computed: held, upstreamCost };
};

const leastOf = (waiters: readonly Waiter[]): Money | null =>
  waiters.reduce<Money | null>((least, { request }) => (least === null ? request.least : smaller(least, request.least)), null);

/**
 * Spends money on behalf of calls, out of leases that it takes from accounts ahead of need. The hot path (`reserve` with a
 * lease in hand, `charge`) is arithmetic in memory and an event handed to the group commit; only a purse that runs low asks
 * the account.
 */
export class LeaseKeeper {
  readonly #book: AccountBook;
  readonly #appender: Appender;
  readonly #clock: Clock;
  readonly #ids: IdSource;
  readonly #holder: string;
  readonly #policy: LeasePolicy;
  readonly #failpoints: Failpoints;
  readonly #times: DurableTimes;
  readonly #onKeyExhausted: (tokenId: TokenId) => void;
  readonly #purses = new Map<TokenId, Purse>();
  readonly #leases = new Map<LeaseId, HeldLease>();
  readonly #exhausted = new Exhaustions();
  readonly #news = new AccountNews();
  #fillsUnderWay = 0;
  #stopping = false;
  #onEmpty: () => void = () => undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#book = options.book;
    this.#appender = options.appender;
    this.#clock = options.clock;
    this.#ids = options.ids;
    this.#holder = options.holder;
    this.#policy = options.policy ?? DEFAULT_LEASE_POLICY;
    this.#failpoints = options.failpoints ?? NO_FAILPOINTS;
    this.#times = options.times ?? NO_TIMES;
    this.#onKeyExhausted = options.onKeyExhausted ?? (() => undefined);
  }

  /** Leases and holds in hand, for metrics. */
  stats(): { readonly leases: number; readonly holds: number; readonly waiting: number } {
    let holds = 0;
    let waiting = 0;
    for (const lease of this.#leases.values()) holds += lease.holds;
    for (const purse of this.#purses.values()) waiting += purse.waiting.length;
    return { leases: this.#leases.size, holds, waiting };
  }

  /**
   * Sets money aside for a call: at once when a lease in hand covers it. Otherwise the account is asked, and the hold may be
   * smaller than `amount`, but never than `least`. Refusals: `insufficient_quota`, `cap_reached`, `key_exhausted`,
   * `log_unavailable`, `log_busy`, `shutting_down`.
   */
  reserve(call: ReserveRequest): Hold | Refusal | Promise<Hold | Refusal> {
    if (this.#stopping) return refuse('shutting_down');
    // A call that costs something is never worth making on nothing.
    const request = call.least === 0n && call.amount > 0n ? { ...call, least: 1n as Money } : call;
    const now = this.#clock.now();
    const purse = this.#purseOf(request);
    if (purse.waiting.length === 0) {
      const lease = this.#leaseFor(purse, request.amount, now);
      if (lease !== undefined) return this.#hold(purse, lease, request, request.amount, now);
    }
    const exhausted = this.#exhausted.wordOn(request.tokenId, request.least, now);
    if (exhausted !== null) {
      const someLeft = purse.waiting.length === 0 ? this.#leaseFor(purse, request.least, now) : undefined;
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
      this.#afterEnd(lease);
      return refusal ?? { amount };
    });
  }

  /** What goes beyond a hold that was charged. */
  async #overdraw({ lease, model, requestId }: TakenHold, amount: Money, beyond: Money): Promise<{ readonly amount: Money }> {
    const overdraft = { requestId, model, amount: beyond };
    lease.overdrafts = [...lease.overdrafts, overdraft];
    // Its own only: those of calls beside it are on their way, and what is asked for twice is looked for in all of the account's events.
    await this.#recordOverdraft(lease, overdraft);
    this.#afterEnd(lease);
    return { amount };
  }

  /** True when nothing is owed to the account any more. What cannot be recorded now is tried again before the lease is settled. */
  async #recordOverdrafts(lease: HeldLease): Promise<boolean> {
    for (const overdraft of lease.overdrafts) if (!(await this.#recordOverdraft(lease, overdraft))) return false;
    return true;
  }

  async #recordOverdraft(lease: HeldLease, overdraft: Overdraft): Promise<boolean> {
    const { leaseId, userId, tokenId } = lease;
    const { requestId, model, amount } = overdraft;
    const recorded = await this.#book.execute(
      userId,
      { kind: 'recordOverdraft', leaseId, tokenId, requestId, model, amount },
      this.#context(userId, `${requestId}:overdraft`),
    );
    if (isRefusal(recorded)) return false;
    lease.overdrafts = lease.overdrafts.filter((other) => other !== overdraft);
    return true;
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
    this.#afterEnd(lease);
    return refusal;
  }

  /** News of an account, from the log: someone wants a lease of ours back, or there is money again. */
  onAccountEvent({ type, data }: AccountEvent): void {
    if (type === 'LeaseReturnRequested') {
      const lease = this.#leases.get(data.leaseId);
      if (lease !== undefined) this.#drain(lease, 'recalled');
      return;
    }
    if (type === 'SpendLeaseGranted' || type === 'QuotaOverdrawn') return;
    for (const [tokenId, purse] of this.#purses) {
      if (purse.userId !== data.userId) continue;
      this.#exhausted.forget(tokenId);
      purse.aheadRefusedAt = null;
    }
    this.#news.moved(data.userId);
  }

  /** Once a second or so: gives back what is idle or ended, and asks for more time where calls still run. */
  tick(): void {
    const now = this.#clock.now();
    for (const lease of this.#leases.values()) {
      if (lease.lost !== null) {
        if (lease.holds === 0) this.#forget(lease);
      } else if (lease.draining === null && now >= lease.admitsUntil) {
        this.#drain(lease, 'ended');
      } else if (lease.draining === null && lease.holds === 0 && now - lease.lastUsedAt >= this.#policy.idleMs) {
        this.#shrinkAhead(lease);
        this.#drain(lease, 'idle');
      } else if (lease.holds > 0 && lease.expiresAt - now < this.#policy.graceMs) {
        this.#extend(lease, now);
      }
    }
    for (const [tokenId, purse] of this.#purses) {
      if (purse.leases.length === 0 && purse.waiting.length === 0 && !purse.asking) this.#purses.delete(tokenId);
    }
    this.#exhausted.forgetStale(now);
  }

  /** Admits nothing more, waits for the calls in flight to end, and gives every lease back. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const purse of this.#purses.values()) for (const { resolve } of purse.waiting.splice(0)) resolve(refuse('shutting_down'));
    for (const lease of this.#leases.values()) this.#drain(lease, 'shutdown');
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      this.#reportEmpty();
    });
  }

  #purseOf({ userId, tokenId }: ReserveRequest): Purse {
    let purse = this.#purses.get(tokenId);
    if (purse === undefined) {
      purse = {
        userId,
        tokenId,
        leases: [],
        waiting: [],
        asking: false,
        wantsAhead: false,
        ahead: ZERO,
        aheadRefusedAt: null,
        latest: ZERO,
      };
      this.#purses.set(tokenId, purse);
    }
    return purse;
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
    const askedInVain = purse.aheadRefusedAt !== null && isFresh(purse.aheadRefusedAt, now);
    if (lease.free < lease.amount / 4n && !purse.wantsAhead && !askedInVain) {
      if (now - lease.grantedAt < this.#policy.fastMs) purse.ahead = smaller((purse.ahead * 2n) as Money, this.#policy.aheadCeiling);
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
    this.#afterEnd(hold.lease);
    return true;
  }

  #end(hold: Hold): TakenHold {
    const taken = hold as TakenHold;
    if (taken.ended) throw new Error(`hold ${hold.requestId} has ended already`);
    taken.ended = true;
    return taken;
  }

  #afterEnd(lease: HeldLease): void {
    lease.holds--;
    lease.lastUsedAt = this.#clock.now();
    if (lease.holds > 0) return;
    if (lease.lost !== null) this.#forget(lease);
    else if (lease.draining !== null) this.#drain(lease, lease.draining);
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
        const least = leastOf(purse.waiting);
        const granted = await this.#ask(purse, least ?? purse.latest);
        purse.wantsAhead = false;
        if (!isRefusal(granted)) {
          this.#accept(purse, granted);
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

  /** First come, first served; but whoever a lease cannot serve holds up nobody behind him who asks for less. */
  #serveWaiting(purse: Purse): void {
    const now = this.#clock.now();
    const stillWaiting: Waiter[] = [];
    const waiting = purse.waiting;
    purse.waiting = [];
    for (const waiter of waiting) {
      const { amount, least } = waiter.request;
      const lease = this.#leaseFor(purse, amount, now) ?? this.#leaseFor(purse, least, now);
      if (lease === undefined) stillWaiting.push(waiter);
      else waiter.resolve(this.#hold(purse, lease, waiter.request, smaller(amount, lease.free), now));
    }
    purse.waiting = [...stillWaiting, ...purse.waiting];
  }

  /** A lease in hand that can hold this much now. */
  #leaseFor(purse: Purse, amount: Money, now: number): HeldLease | undefined {
    for (const lease of purse.leases) if (lease.admits(now) && lease.free >= amount) return lease;
    return undefined;
  }

  async #ask(purse: Purse, least: Money): Promise<EventOf<'SpendLeaseGranted'>['data'] | Refusal> {
    const needed = sum(purse.waiting.map(({ request }) => request.amount));
    if (purse.ahead === 0n) purse.ahead = smaller((needed * FIRST_AHEAD) as Money, this.#policy.aheadCeiling);
    const leaseId = LeaseId.parse(this.#ids.next('lse'));
    const answer = await this.#book.execute(
      purse.userId,
      {
        kind: 'grantSpendLease',
        leaseId,
        tokenId: purse.tokenId,
        holder: this.#holder,
        least: larger(least, 1n as Money),
        needed,
        ahead: purse.ahead,
        now: this.#clock.now(),
        admitsForMs: this.#policy.admitsForMs,
        graceMs: this.#policy.graceMs,
      },
      this.#context(purse.userId, `${leaseId}:grant`),
    );
    if (isRefusal(answer)) return answer;
    const granted = answer.events.find((event) => event.type === 'SpendLeaseGranted');
    if (granted === undefined) throw new Error(`the account granted lease ${leaseId} without an event`);
    this.#failpoints.hit('lease.granted');
    return granted.data;
  }

  #accept(purse: Purse, grant: EventOf<'SpendLeaseGranted'>['data']): void {
    const lease = new HeldLease(grant, this.#appender, this.#clock, this.#times);
    this.#leases.set(lease.leaseId, lease);
    for (const older of purse.leases) if (older.draining === null && older.free < older.amount / 4n) this.#drain(older, 'spent');
    purse.leases = [...purse.leases.filter((older) => older.draining === null), lease];
    if (this.#stopping) this.#drain(lease, 'shutdown');
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
    const answer = await this.#book.read(userId);
    if (!isRefusal(answer) && isKeySpent(answer.account, tokenId)) this.#onKeyExhausted(tokenId);
  }

  /** Gets idle money back, from our own purses at once and from other processes by asking. True when something came back. */
  async #recall(purse: Purse): Promise<boolean> {
    const idle = [...this.#leases.values()].filter(
      (lease) => lease.userId === purse.userId && lease.holds === 0 && !lease.closing && lease.lost === null,
    );
    if (idle.length > 0) {
      const closed = await Promise.all(idle.map((lease) => this.#close(lease, 'recalled')));
      if (closed.includes(true)) return true;
    }
    const answer = await this.#book.read(purse.userId);
    if (isRefusal(answer)) return false;
    if (![...answer.account.leases.values()].some(({ holder }) => holder !== this.#holder)) return false;
    const news = this.#news.next(purse.userId, this.#policy.returnWaitMs);
    await this.#book.execute(
      purse.userId,
      { kind: 'requestLeaseReturns', holder: this.#holder },
      this.#context(purse.userId, `${this.#ids.next('cmd')}:recall`),
    );
    return news;
  }

  #extend(lease: HeldLease, now: number): void {
    const expiresAt = now + this.#policy.admitsForMs + this.#policy.graceMs;
    lease.expiresAt = expiresAt;
    void lease.record(
      { type: 'LeaseExtended', data: { leaseId: lease.leaseId, expiresAt: new Date(expiresAt).toISOString() } },
      `${lease.leaseId}-${expiresAt}`,
      'extend',
    );
  }

  #shrinkAhead(lease: HeldLease): void {
    const purse = this.#purses.get(lease.tokenId);
    if (purse !== undefined) purse.ahead = (purse.ahead / 2n) as Money;
  }

  /** Admits no further call on a lease, and closes it when the last one has ended. */
  #drain(lease: HeldLease, reason: CloseReason): void {
    if (lease.draining === null) {
      lease.draining = reason;
      const purse = this.#purses.get(lease.tokenId);
      if (purse !== undefined) purse.leases = purse.leases.filter((other) => other !== lease);
    }
    if (lease.holds > 0) return;
    if (lease.lost === null) void this.#close(lease, lease.draining);
    else this.#forget(lease);
  }

  /** `LeaseClosed` on the lease, then `SpendLeaseSettled` on the account, which gives the rest back. True when settled. */
  async #close(lease: HeldLease, reason: CloseReason): Promise<boolean> {
    if (lease.closing || lease.lost !== null) return false;
    lease.closing = true;
    lease.draining ??= reason;
    const { leaseId, userId, tokenId, spent } = lease;
    const refusal = await lease.record({ type: 'LeaseClosed', data: { leaseId, userId, tokenId, spent, reason } }, leaseId, 'close');
    let settled = false;
    if (refusal === null) {
      this.#failpoints.hit('lease.closed');
      // What cannot be settled now is settled by a sweeper: the lease stream says what was spent, and what was overdrawn.
      settled =
        (await this.#recordOverdrafts(lease)) &&
        !isRefusal(await this.#book.execute(userId, { kind: 'settleLease', leaseId, spent }, this.#context(userId, `${leaseId}:settle`)));
      if (settled) this.#failpoints.hit('lease.settled');
    }
    this.#forget(lease);
    return settled;
  }

  #reportEmpty(): void {
    if (this.#leases.size === 0 && this.#fillsUnderWay === 0) this.#onEmpty();
  }

  #forget(lease: HeldLease): void {
    this.#leases.delete(lease.leaseId);
    const purse = this.#purses.get(lease.tokenId);
    if (purse !== undefined) purse.leases = purse.leases.filter((other) => other !== lease);
    this.#reportEmpty();
  }

  #context(userId: UserId, cause: string): CommandContext {
    const causationId = cause.slice(0, cause.lastIndexOf(':'));
    return {
      commandId: cause as CommandId,
      correlationId: causationId,
      causationId,
      actor: { kind: 'system', id: this.#holder },
      tenant: userId,
      occurredAt: new Date(this.#clock.now()).toISOString(),
    };
  }
}
