import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { costOf } from '../../domain/pricing/cost.ts';
import type { JsonObject } from '../../schemas/event-envelope.ts';
import type { DomainEvent, EventOf, EventType } from '../../schemas/events/catalogue.ts';
import type { ModelPrice } from '../../schemas/price.ts';

/** An event as any reader of the log has it. */
export interface AuditedEvent {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: JsonObject;
}

/** The first event that breaks a rule. */
export interface BrokenRule {
  readonly rule: string;
  readonly what: string;
  readonly position: string;
  readonly stream: string;
  readonly type: string;
}

export interface AuditSummary {
  readonly events: number;
  readonly accounts: number;
  readonly charges: number;
  /** Nano-dollars. */
  readonly charged: string;
  readonly refunded: string;
  readonly overdrawn: string;
  readonly available: string;
  /** Set aside right now: by leases that are open. */
  readonly held: string;
  readonly openLeases: number;
  readonly openHolds: number;
  /** Debits less credits over all accounts: zero. */
  readonly trialBalance: string;
  readonly broken: BrokenRule | null;
}

interface Lease {
  readonly userId: string;
  readonly tokenId: string;
  readonly day: string;
  readonly amount: bigint;
  readonly holds: Map<string, EventOf<'QuotaReserved'>['data']>;
  debited: bigint;
  opened: boolean;
  closed: boolean;
}

interface Charge {
  readonly userId: string;
  readonly leaseId: string;
  readonly model: string;
  readonly amount: bigint;
  refunded: bigint;
}

/** What moves money, or says what a call costs. Everything else may be masked by a server, and is only counted. */
const CONCERNED: ReadonlySet<string> = new Set<EventType>([
  'CreditGranted',
  'CreditExpired',
  'CreditAdjusted',
  'SpendLeaseGranted',
  'LeaseOpened',
  'LeaseExtended',
  'QuotaReserved',
  'QuotaDebited',
  'QuotaReleased',
  'LeaseClosed',
  'SpendLeaseSettled',
  'QuotaOverdrawn',
  'ChargeRefunded',
  'PriceListPublished',
]);

/** Whatever is decided of an account or a lease is decided by what lies on its stream: elsewhere it would count for one reader and not for another. */
const placeOf = ({ type, data }: DomainEvent): string | null => {
  switch (type) {
    case 'CreditGranted':
    case 'CreditExpired':
    case 'CreditAdjusted':
    case 'SpendLeaseGranted':
    case 'SpendLeaseSettled':
    case 'QuotaOverdrawn':
    case 'ChargeRefunded':
      return `account-${data.userId}`;
    case 'LeaseOpened':
    case 'LeaseExtended':
    case 'QuotaReserved':
    case 'QuotaDebited':
    case 'QuotaReleased':
    case 'LeaseClosed':
      return `lease-${data.leaseId}`;
    case 'PriceListPublished':
      return `pricelist-${data.priceListId}`;
    default:
      return null;
  }
};

const dollars = (nanos: bigint): string => `${nanos} nano-dollars`;

/**
 * Adds the ledger up once more, from the events alone, one by one in the order of the log, and stops believing at the first
 * that breaks a rule. It shares no state and no arithmetic with the deciders; of the price rule it asks that it give
 * what was charged.
 */
export class LedgerAudit {
  #broken: BrokenRule | null = null;
  #events = 0;
  #last: AuditedEvent | null = null;
  readonly #revisions = new Map<string, number>();
  /** Credits less debits. */
  readonly #books = new Map<string, bigint>();
  readonly #leases = new Map<string, Lease>();
  readonly #charges = new Map<string, Charge>();
  readonly #overdrafts = new Map<string, bigint>();
  readonly #prices = new Map<string, ReadonlyMap<string, ModelPrice>>();
  #charged = 0n;
  #refunded = 0n;
  #overdrawn = 0n;

  get broken(): BrokenRule | null {
    return this.#broken;
  }

  /** What comes after a broken rule is not looked at: it stands on what is wrong. */
  observe(event: AuditedEvent): void {
    if (this.#broken !== null) return;
    this.#events++;
    const before = this.#last;
    this.#last = event;
    if (before !== null && event.position <= before.position)
      return this.#breaks('order', `position ${event.position} comes after ${before.position}`);
    const expected = (this.#revisions.get(event.stream) ?? -1) + 1;
    if (event.revision !== expected) return this.#breaks('order', `revision ${event.revision} of the stream where ${expected} belongs`);
    this.#revisions.set(event.stream, event.revision);
    if (!CONCERNED.has(event.type)) return;
    let decoded: DomainEvent;
    try {
      decoded = decodeEvent(event);
    } catch (error) {
      return this.#breaks(
        'every event is what its type says',
        `it cannot be read: ${(error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ')}`,
      );
    }
    const place = placeOf(decoded);
    if (place !== null && place !== event.stream) return this.#breaks('every event lies where it belongs', `it speaks of ${place}`);
    this.#judge(decoded);
    if (this.#broken === null && this.#total() !== 0n)
      this.#breaks('double entry', `debits and credits differ by ${dollars(this.#total())}`);
  }

  summary(): AuditSummary {
    const sum = (prefix: string): bigint =>
      [...this.#books].reduce((total, [account, balance]) => (account.startsWith(prefix) ? total + balance : total), 0n);
    const open = [...this.#leases.values()];
    return {
      events: this.#events,
      accounts: this.#books.size,
      charges: this.#charges.size,
      charged: this.#charged.toString(),
      refunded: this.#refunded.toString(),
      overdrawn: this.#overdrawn.toString(),
      available: sum('wallet:').toString(),
      held: sum('held:').toString(),
      openLeases: open.length,
      openHolds: open.reduce((count, { holds }) => count + holds.size, 0),
      trialBalance: [...this.#books.values()].reduce((total, balance) => total + balance, 0n).toString(),
      broken: this.#broken,
    };
  }

  #breaks(rule: string, what: string): void {
    const { position, stream, type } = this.#last ?? { position: 0n, stream: '', type: '' };
    this.#broken ??= { rule, what, position: position.toString(), stream, type };
  }

  /** What the last transfers left over; kept by {@link LedgerAudit.#post}, so that it costs nothing to ask after each event. */
  #difference = 0n;
  #total(): bigint {
    return this.#difference;
  }

  #post(account: string, amount: bigint): void {
    const balance = (this.#books.get(account) ?? 0n) + amount;
    this.#difference += amount;
    if (balance === 0n && account.startsWith('held:')) this.#books.delete(account);
    else this.#books.set(account, balance);
    if (balance < 0n && (account.startsWith('wallet:') || account.startsWith('held:')))
      this.#breaks('never below zero', `${account} would stand at ${dollars(balance)}`);
  }

  #move(from: string, to: string, amount: bigint): void {
    this.#post(from, -amount);
    this.#post(to, amount);
  }

  #judge({ type, data }: DomainEvent): void {
    switch (type) {
      case 'CreditGranted':
        return this.#move(`funding:${data.source}`, `wallet:${data.userId}`, data.amount);
      case 'CreditExpired':
        return this.#move(`wallet:${data.userId}`, `expired:${data.source}`, data.amount);
      case 'CreditAdjusted':
        return this.#move('funding:adjustment', `wallet:${data.userId}`, data.amount);
      case 'SpendLeaseGranted':
        if (this.#leases.has(data.leaseId)) return this.#breaks('one grant per lease', `${data.leaseId} is granted twice`);
        this.#leases.set(data.leaseId, {
          userId: data.userId,
          tokenId: data.tokenId,
          day: data.day,
          amount: data.amount,
          holds: new Map(),
          debited: 0n,
          opened: false,
          closed: false,
        });
        return this.#move(`wallet:${data.userId}`, `held:${data.leaseId}`, data.amount);
      case 'LeaseOpened':
        return this.#opened(data);
      case 'LeaseExtended':
        return void this.#open(data.leaseId);
      case 'QuotaReserved':
        return this.#reserved(data);
      case 'QuotaDebited':
        return this.#debited(data);
      case 'QuotaReleased':
        return void this.#end(data);
      case 'LeaseClosed':
        return this.#closed(data);
      case 'SpendLeaseSettled':
        return this.#settled(data);
      case 'QuotaOverdrawn':
        return this.#overdraft(data);
      case 'ChargeRefunded':
        return this.#refund(data);
      case 'PriceListPublished':
        return void this.#prices.set(data.priceListId, new Map(data.models.map((price) => [price.model, price])));
      default:
    }
  }

  #open(leaseId: string): Lease | null {
    const lease = this.#leases.get(leaseId);
    if (lease === undefined) this.#breaks('a lease is granted before it is used', `${leaseId} was never granted, or is settled already`);
    else if (lease.closed) this.#breaks('nothing follows the close of a lease', `${leaseId} is closed`);
    else return lease;
    return null;
  }

  /** The lease of somebody who says whose it is. */
  #openOf({ leaseId, userId, tokenId }: { readonly leaseId: string; readonly userId: string; readonly tokenId: string }): Lease | null {
    const lease = this.#open(leaseId);
    if (lease === null || this.#isOf(lease, userId, tokenId)) return lease;
    this.#breaks(
      'who holds the lease pays',
      `${leaseId} is held by ${lease.userId} with ${lease.tokenId}, not by ${userId} with ${tokenId}`,
    );
    return null;
  }

  #isOf(lease: Lease, userId: string, tokenId: string): boolean {
    return lease.userId === userId && lease.tokenId === tokenId;
  }

  #opened(data: EventOf<'LeaseOpened'>['data']): void {
    const lease = this.#openOf(data);
    if (lease === null) return;
    if (data.amount !== lease.amount || data.day !== lease.day)
      return this.#breaks(
        'a lease opens as it was granted',
        `${data.leaseId} opens with ${dollars(data.amount)} of ${data.day} and was granted ${dollars(lease.amount)} of ${lease.day}`,
      );
    lease.opened = true;
  }

  #reserved(data: EventOf<'QuotaReserved'>['data']): void {
    const { leaseId, requestId } = data;
    const lease = this.#openOf(data);
    if (lease === null) return;
    if (!lease.opened) return this.#breaks('a lease is opened before it is used', `${leaseId} was never opened`);
    if (lease.holds.has(requestId) || this.#charges.has(requestId))
      return this.#breaks('every hold ends once', `${requestId} is held twice`);
    lease.holds.set(requestId, data);
    let held = lease.debited;
    for (const { amount } of lease.holds.values()) held += amount;
    if (held > lease.amount)
      this.#breaks(
        'a lease holds no more than it was granted',
        `${leaseId} of ${dollars(lease.amount)} has ${dollars(held)} spent and held`,
      );
  }

  /** The hold that ends, if there is one to end. */
  #end(data: EventOf<'QuotaDebited' | 'QuotaReleased'>['data']): {
    readonly lease: Lease;
    readonly hold: EventOf<'QuotaReserved'>['data'];
  } | null {
    const { requestId, model } = data;
    const lease = this.#openOf(data);
    if (lease === null) return null;
    const hold = lease.holds.get(requestId);
    if (hold === undefined) {
      this.#breaks('every hold ends once', `${requestId} has no hold that is open`);
      return null;
    }
    if (model !== hold.model) {
      this.#breaks('what ends is what was held', `${requestId} was held for ${hold.model} and ends as ${model}`);
      return null;
    }
    lease.holds.delete(requestId);
    return { lease, hold };
  }

  #debited(data: EventOf<'QuotaDebited'>['data']): void {
    const { leaseId, requestId, userId, model, channelId, amount, computed, upstreamCost, basis, usage, priceListId, groupRatio } = data;
    const ended = this.#end(data);
    if (ended === null) return;
    const { lease } = ended;
    const hold = ended.hold.amount;
    if (amount > hold)
      return this.#breaks('a charge is covered by its hold', `${requestId} is charged ${dollars(amount)} and held ${dollars(hold)}`);
    const price = this.#prices.get(priceListId)?.get(model);
    if (price === undefined) return this.#breaks('every charge has its price', `${model} has no price in ${priceListId}`);
    if (priceListId !== ended.hold.priceListId)
      return this.#breaks(
        'what ends is what was held',
        `${requestId} was held by ${ended.hold.priceListId} and is charged by ${priceListId}`,
      );
    const byRule = basis === 'held' ? hold : costOf(usage, price, groupRatio);
    if (computed !== byRule)
      return this.#breaks(
        'every charge is what its price list says',
        `${requestId} says ${dollars(computed)} and the list gives ${dollars(byRule)}`,
      );
    const due = computed < hold ? computed : hold;
    if (amount !== due)
      return this.#breaks(
        'every charge is what its price list says',
        `${requestId} is charged ${dollars(amount)} and ${dollars(due)} is due`,
      );
    lease.debited += amount;
    this.#charged += amount;
    this.#charges.set(requestId, { userId, leaseId, model, amount, refunded: 0n });
    if (computed > amount) this.#overdrafts.set(requestId, computed - amount);
    this.#move(`held:${leaseId}`, `revenue:${model}`, amount);
    this.#move(`cost:${channelId}`, `payable:${channelId}`, upstreamCost);
  }

  #closed(data: EventOf<'LeaseClosed'>['data']): void {
    const { leaseId, spent } = data;
    const lease = this.#openOf(data);
    if (lease === null) return;
    const [open] = lease.holds.keys();
    if (open !== undefined) return this.#breaks('no hold outlives its lease', `${leaseId} is closed while ${open} is held`);
    if (spent !== lease.debited)
      return this.#breaks(
        'a lease closes at the sum of its debits',
        `${leaseId} closes at ${dollars(spent)} and its debits come to ${dollars(lease.debited)}`,
      );
    lease.closed = true;
  }

  #settled({ leaseId, userId, tokenId, spent, returned }: EventOf<'SpendLeaseSettled'>['data']): void {
    const lease = this.#leases.get(leaseId);
    if (lease === undefined) return this.#breaks('a lease is settled once', `${leaseId} was never granted, or is settled already`);
    if (!this.#isOf(lease, userId, tokenId))
      return this.#breaks('a lease is settled with whoever held it', `${leaseId} was held by ${lease.userId} with ${lease.tokenId}`);
    if (!lease.closed) return this.#breaks('a lease is closed before it is settled', `${leaseId} is open`);
    if (spent !== lease.debited)
      return this.#breaks(
        'a settlement is the sum of the debits',
        `${leaseId} is settled at ${dollars(spent)} and its debits come to ${dollars(lease.debited)}`,
      );
    this.#move(`held:${leaseId}`, `wallet:${lease.userId}`, returned);
    const left = this.#books.get(`held:${leaseId}`) ?? 0n;
    if (left !== 0n)
      return this.#breaks('a settlement gives back the rest', `${dollars(left)} of ${leaseId} are neither spent nor returned`);
    this.#leases.delete(leaseId);
  }

  #overdraft({ requestId, leaseId, userId, model, amount }: EventOf<'QuotaOverdrawn'>['data']): void {
    const due = this.#overdrafts.get(requestId);
    const charge = this.#charges.get(requestId);
    if (charge !== undefined && (charge.userId !== userId || charge.leaseId !== leaseId || charge.model !== model))
      return this.#breaks(
        'an overdraft is what a charge left uncovered',
        `${requestId} was charged to ${charge.userId} for ${charge.model} on ${charge.leaseId}`,
      );
    if (due !== amount)
      return this.#breaks(
        'an overdraft is what a charge left uncovered',
        `${requestId} left ${dollars(due ?? 0n)} and ${dollars(amount)} are claimed`,
      );
    this.#overdrafts.delete(requestId);
    this.#overdrawn += amount;
    this.#move(`overdraft:${userId}`, `revenue:${model}`, amount);
  }

  #refund({ requestId, leaseId, userId, model, amount }: EventOf<'ChargeRefunded'>['data']): void {
    const charge = this.#charges.get(requestId);
    if (charge === undefined || charge.userId !== userId)
      return this.#breaks('a refund is of a charge', `${requestId} was never charged to ${userId}`);
    if (charge.leaseId !== leaseId || charge.model !== model)
      return this.#breaks('a refund is of a charge', `${requestId} was charged for ${charge.model} on ${charge.leaseId}`);
    charge.refunded += amount;
    if (charge.refunded > charge.amount)
      return this.#breaks(
        'refunds never exceed the charge',
        `${dollars(charge.refunded)} of ${dollars(charge.amount)} are given back for ${requestId}`,
      );
    this.#refunded += amount;
    this.#move(`revenue:${model}`, `wallet:${userId}`, amount);
  }
}
