import type { JsonObject, RecordedEvent } from '../../../schemas/event-envelope.ts';
import { localDay } from './local-day.ts';

/** A rule of the ledger that an event of the log breaks. */
export interface Violation {
  /** Number of the rule among those that always hold; 0 is for the log itself. */
  readonly rule: number;
  readonly what: string;
  readonly position: bigint | null;
  readonly stream: string | null;
}

/** One charge as the log has it. */
export interface Charge {
  readonly requestId: string;
  readonly userId: string;
  readonly tokenId: string;
  readonly leaseId: string;
  readonly model: string;
  readonly amount: bigint;
  readonly computed: bigint;
  readonly basis: string;
  readonly usage: Readonly<Record<string, number>>;
}

/** One hold that ended without a charge. */
export interface Released {
  readonly requestId: string;
  readonly reason: string;
  readonly reconcile: boolean;
}

export interface LedgerTotals {
  readonly events: number;
  readonly leases: number;
  readonly holds: number;
  readonly charges: number;
  readonly charged: bigint;
  readonly released: number;
  /** Released with a note that an upstream may have billed for it. */
  readonly reconcile: number;
  readonly overdrafts: number;
  readonly overdrawn: bigint;
  readonly refunded: bigint;
}

interface AuditedLease {
  readonly leaseId: string;
  readonly userId: string;
  readonly tokenId: string;
  readonly amount: bigint;
  readonly day: string;
  readonly admitsUntil: number;
  readonly expiresAt: number;
  opened: boolean;
  readonly holds: Map<string, { readonly amount: bigint; readonly model: string; readonly priceListId: string }>;
  debited: bigint;
  closedWith: bigint | null;
  settled: boolean;
}

interface AuditedAccount {
  timeZone: string;
  wallet: bigint;
  readonly caps: Map<string, bigint>;
  /** By scope and window, such as `user/day/2026-05-10` and `key_1/total`. */
  readonly spent: Map<string, bigint>;
  readonly open: Set<AuditedLease>;
}

export interface LedgerAuditOptions {
  /** How far a hold's own time may lie behind the end of its lease's admission: two looks at a clock are two times. */
  readonly admissionSlackMs?: number;
}

/** A field that holds text; empty where there is none, which no rule takes for anything. */
const text = (data: JsonObject, name: string): string => {
  const value = data[name];
  return typeof value === 'string' ? value : '';
};

/**
 * Reads a log from its beginning, event by event, and checks after each one what must hold at every prefix of it. Shares no
 * arithmetic with the ledger: amounts are read from the stored JSON, and everything is added up here once more.
 */
export class LedgerAudit {
  readonly violations: Violation[] = [];
  readonly charges = new Map<string, Charge>();
  readonly released = new Map<string, Released>();
  readonly #accounts = new Map<string, AuditedAccount>();
  readonly #leases = new Map<string, AuditedLease>();
  readonly #books = new Map<string, bigint>();
  readonly #eventIds = new Set<string>();
  readonly #attemptIds = new Set<string>();
  readonly #revisions = new Map<string, number>();
  readonly #refunds = new Map<string, bigint>();
  readonly #overdrafts = new Map<string, bigint>();
  readonly #reserved = new Set<string>();
  readonly #admissionSlackMs: number;
  #position = 0n;
  #events = 0;
  #at: RecordedEvent | null = null;

  constructor({ admissionSlackMs = 0 }: LedgerAuditOptions = {}) {
    this.#admissionSlackMs = admissionSlackMs;
  }

  observe(event: RecordedEvent): void {
    this.#at = event;
    this.#events++;
    this.#checkEnvelope(event);
    const data = event.data;
    switch (event.type) {
      case 'AccountOpened':
        return this.#opened(data);
      case 'CreditGranted':
        return this.#move(`funding:${text(data, 'source')}`, `wallet:${text(data, 'userId')}`, this.#amount(data, 'amount'));
      case 'CreditExpired':
        return this.#move(`wallet:${text(data, 'userId')}`, `expired:${text(data, 'source')}`, this.#amount(data, 'amount'));
      case 'CreditAdjusted':
        return this.#move('funding:adjustment', `wallet:${text(data, 'userId')}`, BigInt(text(data, 'amount')));
      case 'CapSet':
        return this.#capSet(data);
      case 'SpendLeaseGranted':
        return this.#leaseGranted(data);
      case 'SpendLeaseSettled':
        return this.#leaseSettled(data);
      case 'QuotaOverdrawn':
        return this.#overdrawn(data);
      case 'ChargeRefunded':
        return this.#refunded(data);
      case 'LeaseOpened':
        return this.#leaseOpened(data);
      case 'QuotaReserved':
        return this.#reservedQuota(event, data);
      case 'QuotaDebited':
        return this.#debited(data);
      case 'QuotaReleased':
        return this.#releasedQuota(data);
      case 'LeaseExtended':
        return void this.#openLease(data);
      case 'LeaseClosed':
        return this.#leaseClosed(data);
      default:
    }
  }

  /** What must hold besides once everything is at rest: no hold open, no lease unsettled, no overdraft unrecorded. */
  atRest(): void {
    this.#at = null;
    for (const lease of this.#leases.values()) {
      for (const requestId of lease.holds.keys()) this.#breaks(3, `the hold of ${requestId} on ${lease.leaseId} never ended`);
      if (!lease.settled) this.#breaks(3, `lease ${lease.leaseId} is not settled`);
    }
    for (const { requestId, computed, amount } of this.charges.values()) {
      if (computed > amount && !this.#overdrafts.has(requestId)) this.#breaks(14, `the overdraft of ${requestId} was dropped`);
    }
    this.#checkTrialBalance();
  }

  /** Leases that no settlement has been seen of, for a sweep. */
  unsettled(): readonly { readonly leaseId: string; readonly userId: string; readonly tokenId: string; readonly expiresAt: number }[] {
    return [...this.#leases.values()].filter(({ settled }) => !settled);
  }

  get openHolds(): number {
    let open = 0;
    for (const { holds } of this.#leases.values()) open += holds.size;
    return open;
  }

  /** The balance of any account, such as `wallet:usr_1` or `revenue:gpt-4o`. */
  balanceOf(account: string): bigint {
    return this.#books.get(account) ?? 0n;
  }

  totals(): LedgerTotals {
    const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((total, amount) => total + amount, 0n);
    return {
      events: this.#events,
      leases: this.#leases.size,
      holds: this.#reserved.size,
      charges: this.charges.size,
      charged: sum([...this.charges.values()].map(({ amount }) => amount)),
      released: this.released.size,
      reconcile: [...this.released.values()].filter(({ reconcile }) => reconcile).length,
      overdrafts: this.#overdrafts.size,
      overdrawn: sum(this.#overdrafts.values()),
      refunded: sum(this.#refunds.values()),
    };
  }

  #breaks(rule: number, what: string): void {
    this.violations.push({ rule, what, position: this.#at?.position ?? null, stream: this.#at?.stream ?? null });
  }

  #checkEnvelope(event: RecordedEvent): void {
    if (event.position <= this.#position) this.#breaks(0, `position ${event.position} comes after ${this.#position}`);
    this.#position = event.position;
    const expected = (this.#revisions.get(event.stream) ?? -1) + 1;
    if (event.revision !== expected) this.#breaks(0, `revision ${event.revision} where ${expected} belongs`);
    this.#revisions.set(event.stream, event.revision);
    if (this.#eventIds.has(event.eventId)) this.#breaks(6, `event id ${event.eventId} occurs twice`);
    this.#eventIds.add(event.eventId);
  }

  /** A balanced transfer. Wallets and held money never go below zero; all books together are zero by what was posted, not by assumption. */
  #move(from: string, to: string, amount: bigint): void {
    this.#post(from, -amount);
    this.#post(to, amount);
    if (this.#events % 1_000 === 0) this.#checkTrialBalance();
  }

  #post(account: string, amount: bigint): void {
    const balance = (this.#books.get(account) ?? 0n) + amount;
    this.#books.set(account, balance);
    if (balance < 0n && /^(wallet|held|cost|expired):/.test(account)) this.#breaks(2, `${account} is at ${balance}`);
    if (account.startsWith('wallet:')) {
      const owner = this.#accounts.get(account.slice('wallet:'.length));
      if (owner === undefined) this.#breaks(2, `${account} moves before it is opened`);
      else owner.wallet = balance;
    }
  }

  #checkTrialBalance(): void {
    let total = 0n;
    for (const balance of this.#books.values()) total += balance;
    if (total !== 0n) this.#breaks(1, `the trial balance is off by ${total}`);
  }

  /** An amount that may not be negative, in its only written form. */
  #amount(data: JsonObject, name: string): bigint {
    const digits = data[name];
    if (typeof digits !== 'string' || !/^(0|[1-9][0-9]*)$/.test(digits)) {
      this.#breaks(14, `${name} is ${JSON.stringify(digits)}`);
      return 0n;
    }
    const amount = BigInt(digits);
    if (amount > 2n ** 63n - 1n) this.#breaks(14, `${name} of ${digits} fits no column`);
    return amount;
  }

  #opened(data: JsonObject): void {
    const userId = text(data, 'userId');
    if (this.#accounts.has(userId)) this.#breaks(6, `account ${userId} is opened twice`);
    this.#accounts.set(userId, { timeZone: text(data, 'timeZone'), wallet: 0n, caps: new Map(), spent: new Map(), open: new Set() });
  }

  #account(data: JsonObject): AuditedAccount {
    const known = this.#accounts.get(text(data, 'userId'));
    if (known !== undefined) return known;
    this.#breaks(2, `account ${text(data, 'userId')} is used before it is opened`);
    return { timeZone: 'UTC', wallet: 0n, caps: new Map(), spent: new Map(), open: new Set() };
  }

  #capSet(data: JsonObject): void {
    const scope = data['scope'] as unknown as { kind: string; tokenId?: string };
    const name = `${scope.kind === 'key' ? String(scope.tokenId) : 'user'}/${text(data, 'window')}`;
    const { caps } = this.#account(data);
    if (data['amount'] === null) caps.delete(name);
    else caps.set(name, this.#amount(data, 'amount'));
  }

  #leaseGranted(data: JsonObject): void {
    const account = this.#account(data);
    const leaseId = text(data, 'leaseId');
    if (this.#leases.has(leaseId)) return this.#breaks(6, `lease ${leaseId} is granted twice`);
    const lease: AuditedLease = {
      leaseId,
      userId: text(data, 'userId'),
      tokenId: text(data, 'tokenId'),
      amount: this.#amount(data, 'amount'),
      day: text(data, 'day'),
      admitsUntil: Date.parse(text(data, 'admitsUntil')),
      expiresAt: Date.parse(text(data, 'expiresAt')),
      opened: false,
      holds: new Map(),
      debited: 0n,
      closedWith: null,
      settled: false,
    };
    this.#leases.set(leaseId, lease);
    account.open.add(lease);
    this.#move(`wallet:${lease.userId}`, `held:${leaseId}`, lease.amount);
    const lastMoment = localDay(lease.admitsUntil - 1, account.timeZone);
    if (lastMoment !== lease.day)
      this.#breaks(18, `lease ${leaseId} of ${lease.day} admits until ${text(data, 'admitsUntil')}, a moment of ${lastMoment}`);
    if (lease.expiresAt < lease.admitsUntil) this.#breaks(3, `lease ${leaseId} expires while it admits`);
    this.#checkCaps(account, lease);
  }

  #checkCaps(account: AuditedAccount, granted: AuditedLease): void {
    for (const [name, cap] of account.caps) {
      const [scope = '', window = ''] = name.split('/');
      if (scope !== 'user' && scope !== granted.tokenId) continue;
      const period = window === 'day' ? granted.day : window === 'month' ? granted.day.slice(0, 7) : '';
      let used = account.spent.get(`${scope}/${window}/${period}`) ?? 0n;
      for (const lease of account.open) {
        if ((scope === 'user' || lease.tokenId === scope) && lease.day.startsWith(period)) used += lease.amount;
      }
      if (used > cap) this.#breaks(4, `cap ${name} of ${cap} is passed by ${used - cap} with lease ${granted.leaseId}`);
    }
  }

  #leaseSettled(data: JsonObject): void {
    const account = this.#account(data);
    const lease = this.#leases.get(text(data, 'leaseId'));
    if (lease === undefined) return this.#breaks(3, `lease ${text(data, 'leaseId')} is settled and was never granted`);
    if (lease.settled) return this.#breaks(7, `lease ${lease.leaseId} is settled twice`);
    const spent = this.#amount(data, 'spent');
    const returned = this.#amount(data, 'returned');
    if (lease.closedWith === null) this.#breaks(3, `lease ${lease.leaseId} is settled before it is closed`);
    if (spent !== lease.debited) this.#breaks(10, `lease ${lease.leaseId} is settled at ${spent} and its debits come to ${lease.debited}`);
    if (text(data, 'tokenId') !== lease.tokenId || text(data, 'userId') !== lease.userId)
      this.#breaks(10, `lease ${lease.leaseId} is settled for somebody else`);
    this.#move(`held:${lease.leaseId}`, `wallet:${lease.userId}`, returned);
    if (this.balanceOf(`held:${lease.leaseId}`) !== 0n)
      this.#breaks(1, `lease ${lease.leaseId} leaves ${this.balanceOf(`held:${lease.leaseId}`)} held when it is settled`);
    lease.settled = true;
    account.open.delete(lease);
    this.#count(account, lease, spent);
  }

  #leaseOpened(data: JsonObject): void {
    const lease = this.#openLease(data);
    if (lease === null) return;
    if (lease.opened || this.#at?.revision !== 0) this.#breaks(3, `lease ${lease.leaseId} is opened in the middle of its stream`);
    lease.opened = true;
    if (this.#amount(data, 'amount') !== lease.amount)
      this.#breaks(2, `lease ${lease.leaseId} is opened with another amount than it was granted`);
    if (text(data, 'day') !== lease.day || text(data, 'userId') !== lease.userId || text(data, 'tokenId') !== lease.tokenId) {
      this.#breaks(2, `lease ${lease.leaseId} is opened otherwise than it was granted`);
    }
  }

  /** The lease of an event on its stream; anything after the close breaks the fence. */
  #openLease(data: JsonObject): AuditedLease | null {
    const leaseId = text(data, 'leaseId');
    const lease = this.#leases.get(leaseId);
    if (this.#at?.stream !== `lease-${leaseId}`) this.#breaks(0, `an event of lease ${leaseId} lies on another stream`);
    if (lease === undefined) {
      this.#breaks(2, `lease ${leaseId} is used before it is granted`);
      return null;
    }
    if (lease.closedWith !== null) this.#breaks(3, `lease ${leaseId} is written to after it was closed`);
    if (lease.settled) this.#breaks(3, `lease ${leaseId} is written to after it was settled`);
    return lease;
  }

  #reservedQuota(event: RecordedEvent, data: JsonObject): void {
    const lease = this.#openLease(data);
    if (lease === null) return;
    const requestId = text(data, 'requestId');
    const amount = this.#amount(data, 'amount');
    if (!lease.opened) this.#breaks(3, `${requestId} is held on a lease that is not opened`);
    if (this.#reserved.has(requestId)) this.#breaks(3, `${requestId} is held twice`);
    this.#reserved.add(requestId);
    const late = Date.parse(event.metadata.occurredAt) - lease.admitsUntil;
    if (late >= 0 && late >= this.#admissionSlackMs)
      this.#breaks(18, `${requestId} is admitted ${late} ms past the end of lease ${lease.leaseId}`);
    lease.holds.set(requestId, { amount, model: text(data, 'model'), priceListId: text(data, 'priceListId') });
    let held = 0n;
    for (const hold of lease.holds.values()) held += hold.amount;
    if (lease.debited + held > lease.amount)
      this.#breaks(2, `lease ${lease.leaseId} of ${lease.amount} holds ${held} with ${lease.debited} spent`);
  }

  #debited(data: JsonObject): void {
    const lease = this.#openLease(data);
    if (lease === null) return;
    const requestId = text(data, 'requestId');
    const amount = this.#amount(data, 'amount');
    const computed = this.#amount(data, 'computed');
    const upstreamCost = this.#amount(data, 'upstreamCost');
    const hold = lease.holds.get(requestId);
    if (hold === undefined) this.#breaks(3, `${requestId} is charged without a hold`);
    else if (amount > hold.amount) this.#breaks(2, `${requestId} is charged ${amount}, more than its hold of ${hold.amount}`);
    else if (amount !== (computed < hold.amount ? computed : hold.amount))
      this.#breaks(14, `${requestId} comes to ${computed}, held ${hold.amount}, and is charged ${amount}`);
    if (hold !== undefined && (hold.model !== text(data, 'model') || hold.priceListId !== text(data, 'priceListId'))) {
      this.#breaks(13, `${requestId} is charged by another model or price list than it was admitted by`);
    }
    if (this.charges.has(requestId) || this.released.has(requestId)) this.#breaks(7, `${requestId} ends twice`);
    lease.holds.delete(requestId);
    lease.debited += amount;
    this.charges.set(requestId, {
      requestId,
      userId: lease.userId,
      tokenId: lease.tokenId,
      leaseId: lease.leaseId,
      model: text(data, 'model'),
      amount,
      computed,
      basis: text(data, 'basis'),
      usage: data['usage'] as Record<string, number>,
    });
    this.#move(`held:${lease.leaseId}`, `revenue:${text(data, 'model')}`, amount);
    this.#move(`payable:${text(data, 'channelId')}`, `cost:${text(data, 'channelId')}`, upstreamCost);
    this.#checkAttempts(requestId, data);
  }

  /** Each attempt has its own id, and of one call at most one is answered: the one that is charged. */
  #checkAttempts(requestId: string, data: JsonObject): void {
    const call = data['call'] as unknown as { attempts: readonly { attemptId: string; outcome: string }[] } | undefined;
    const attempts = call?.attempts ?? [];
    for (const { attemptId } of attempts) {
      if (this.#attemptIds.has(attemptId)) this.#breaks(15, `attempt ${attemptId} of ${requestId} occurs twice`);
      this.#attemptIds.add(attemptId);
    }
    const answered = attempts.filter(({ outcome }) => outcome === 'answered');
    if (answered.length > 1) this.#breaks(15, `${requestId} has ${answered.length} answered attempts`);
    const charged = data['attemptId'] as string | undefined;
    if (charged !== undefined && attempts.length > 0 && !attempts.some(({ attemptId }) => attemptId === charged))
      this.#breaks(15, `${requestId} is charged for an attempt that it did not make`);
  }

  #releasedQuota(data: JsonObject): void {
    const lease = this.#openLease(data);
    if (lease === null) return;
    const requestId = text(data, 'requestId');
    if (!lease.holds.has(requestId)) this.#breaks(3, `${requestId} is released without a hold`);
    if (this.charges.has(requestId) || this.released.has(requestId)) this.#breaks(7, `${requestId} ends twice`);
    lease.holds.delete(requestId);
    this.released.set(requestId, { requestId, reason: text(data, 'reason'), reconcile: data['reconcile'] === true });
    this.#checkAttempts(requestId, data);
  }

  #leaseClosed(data: JsonObject): void {
    const lease = this.#openLease(data);
    if (lease === null) return;
    const spent = this.#amount(data, 'spent');
    for (const requestId of lease.holds.keys()) this.#breaks(3, `lease ${lease.leaseId} is closed over the hold of ${requestId}`);
    if (spent !== lease.debited) this.#breaks(10, `lease ${lease.leaseId} is closed at ${spent} and its debits come to ${lease.debited}`);
    lease.closedWith = spent;
  }

  #overdrawn(data: JsonObject): void {
    const requestId = text(data, 'requestId');
    const amount = this.#amount(data, 'amount');
    const charge = this.charges.get(requestId);
    if (charge === undefined) this.#breaks(14, `${requestId} is overdrawn without a charge`);
    else if (charge.computed - charge.amount !== amount)
      this.#breaks(14, `${requestId} is overdrawn by ${amount}, not ${charge.computed - charge.amount}`);
    if (this.#overdrafts.has(requestId)) this.#breaks(7, `the overdraft of ${requestId} is recorded twice`);
    this.#overdrafts.set(requestId, amount);
    this.#move(`overdrawn:${text(data, 'userId')}`, `revenue:overdrawn`, amount);
  }

  #refunded(data: JsonObject): void {
    const requestId = text(data, 'requestId');
    const amount = this.#amount(data, 'amount');
    const charge = this.charges.get(requestId);
    const refunded = (this.#refunds.get(requestId) ?? 0n) + amount;
    this.#refunds.set(requestId, refunded);
    if (charge === undefined) this.#breaks(17, `${requestId} is refunded without a charge`);
    else if (refunded > charge.amount) this.#breaks(17, `${requestId} is refunded ${refunded} of ${charge.amount}`);
    else if (charge.userId !== text(data, 'userId') || charge.model !== text(data, 'model'))
      this.#breaks(17, `${requestId} is refunded to somebody else`);
    this.#move(`revenue:${text(data, 'model')}`, `wallet:${text(data, 'userId')}`, amount);
    this.#uncount(data, amount);
  }

  /** A refund gives caps back what its charge counted there. Older logs do not say where that was. */
  #uncount(data: JsonObject, amount: bigint): void {
    const tokenId = text(data, 'tokenId');
    const day = text(data, 'day');
    if (tokenId === '' && day === '') return;
    const lease = this.#leases.get(text(data, 'leaseId'));
    if (lease?.tokenId !== tokenId || lease.day !== day)
      return this.#breaks(17, `${text(data, 'requestId')} is refunded where it did not count: ${tokenId} on ${day}`);
    this.#count(this.#account(data), lease, -amount);
  }

  /** Counts what was spent of a lease against caps. */
  #count(account: AuditedAccount, lease: AuditedLease, amount: bigint): void {
    for (const scope of ['user', lease.tokenId]) {
      for (const window of ['total/', `day/${lease.day}`, `month/${lease.day.slice(0, 7)}`]) {
        account.spent.set(`${scope}/${window}`, (account.spent.get(`${scope}/${window}`) ?? 0n) + amount);
      }
    }
  }
}
