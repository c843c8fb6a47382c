import type { Overdraft } from '../../domain/ledger/lease.ts';
import type { LeaseId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Appender } from '../ports/appender.ts';
import type { Clock } from '../ports/clock.ts';
import type { DurableTimes } from '../ports/durable-times.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import { HeldLease, type CloseReason } from './held-lease.ts';
import type { LeaseAccounts, LeaseGrant } from './lease-accounts.ts';
import type { LeasePolicy } from './lease-policy.ts';
import { Purse } from './purse.ts';

export interface LeasesInHandOptions {
  readonly accounts: LeaseAccounts;
  readonly appender: Appender;
  readonly clock: Clock;
  readonly policy: LeasePolicy;
  readonly failpoints: Failpoints;
  readonly times: DurableTimes;
  /** Told whenever a lease is no longer in hand. */
  readonly onGone: () => void;
}

/** The leases that this process holds, by key, from their grant to their settlement. */
export class LeasesInHand {
  readonly #options: LeasesInHandOptions;
  readonly #purses = new Map<TokenId, Purse>();
  readonly #leases = new Map<LeaseId, HeldLease>();

  constructor(options: LeasesInHandOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#leases.size;
  }

  get(leaseId: LeaseId): HeldLease | undefined {
    return this.#leases.get(leaseId);
  }

  leases(): Iterable<HeldLease> {
    return this.#leases.values();
  }

  purses(): Iterable<Purse> {
    return this.#purses.values();
  }

  /** Made when it is asked for first. */
  purseOf(userId: UserId, tokenId: TokenId): Purse {
    let purse = this.#purses.get(tokenId);
    if (purse === undefined) this.#purses.set(tokenId, (purse = new Purse(userId, tokenId)));
    return purse;
  }

  /** Takes a lease in hand. Those of the purse that are nearly spent are given back. */
  accept(purse: Purse, grant: LeaseGrant): HeldLease {
    const { appender, clock, times } = this.#options;
    const lease = new HeldLease(grant, appender, clock, times);
    this.#leases.set(lease.leaseId, lease);
    for (const older of purse.leases) if (older.draining === null && older.isLow) this.drain(older, 'spent');
    purse.leases = [...purse.leases.filter((older) => older.draining === null), lease];
    return lease;
  }

  /** One hold of it has ended. */
  afterEnd(lease: HeldLease): void {
    lease.holds--;
    lease.lastUsedAt = this.#options.clock.now();
    if (lease.holds > 0) return;
    if (lease.lost !== null) this.#forget(lease);
    else if (lease.draining !== null) this.drain(lease, lease.draining);
  }

  /** Records what the upstream billed beyond a hold. What cannot be recorded now is tried again before the lease is settled. */
  async overdraw(lease: HeldLease, overdraft: Overdraft): Promise<void> {
    lease.overdrafts = [...lease.overdrafts, overdraft];
    // Its own only: those of calls beside it are on their way, and what is asked for twice is looked for in all of the account's events.
    await this.#recordOverdraft(lease, overdraft);
  }

  /** Admits no further call on a lease, and closes it when the last one has ended. */
  drain(lease: HeldLease, reason: CloseReason): void {
    if (lease.draining === null) {
      lease.draining = reason;
      this.#purses.get(lease.tokenId)?.drop(lease);
    }
    if (lease.holds > 0) return;
    if (lease.lost === null) void this.#close(lease, lease.draining);
    else this.#forget(lease);
  }

  /** Gives back the leases of an account that nobody uses. True when money came back. */
  async returnIdle(userId: UserId): Promise<boolean> {
    const idle = [...this.#leases.values()].filter(
      (lease) => lease.userId === userId && lease.holds === 0 && !lease.closing && lease.lost === null,
    );
    const closed = await Promise.all(idle.map((lease) => this.#close(lease, 'recalled')));
    return closed.includes(true);
  }

  /** Gives back what is idle or ended, asks for more time where calls still run, and lets go of purses that nobody uses. */
  tick(now: number): void {
    const { idleMs, graceMs } = this.#options.policy;
    for (const lease of this.#leases.values()) {
      if (lease.lost !== null) {
        if (lease.holds === 0) this.#forget(lease);
      } else if (lease.draining === null && now >= lease.admitsUntil) {
        this.drain(lease, 'ended');
      } else if (lease.draining === null && lease.holds === 0 && now - lease.lastUsedAt >= idleMs) {
        this.#purses.get(lease.tokenId)?.askForLess();
        this.drain(lease, 'idle');
      } else if (lease.holds > 0 && lease.expiresAt - now < graceMs) {
        this.#extend(lease, now);
      }
    }
    for (const [tokenId, purse] of this.#purses) if (purse.isEmpty) this.#purses.delete(tokenId);
  }

  #extend(lease: HeldLease, now: number): void {
    const { admitsForMs, graceMs } = this.#options.policy;
    const expiresAt = now + admitsForMs + graceMs;
    lease.expiresAt = expiresAt;
    void lease.record(
      { type: 'LeaseExtended', data: { leaseId: lease.leaseId, expiresAt: new Date(expiresAt).toISOString() } },
      `${lease.leaseId}-${expiresAt}`,
      'extend',
    );
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
      this.#options.failpoints.hit('lease.closed');
      // What cannot be settled now is settled by a sweeper: the lease stream says what was spent, and what was overdrawn.
      settled = (await this.#recordOverdrafts(lease)) && (await this.#options.accounts.settle(lease));
    }
    this.#forget(lease);
    return settled;
  }

  /** True when nothing is owed to the account any more. */
  async #recordOverdrafts(lease: HeldLease): Promise<boolean> {
    for (const overdraft of lease.overdrafts) if (!(await this.#recordOverdraft(lease, overdraft))) return false;
    return true;
  }

  async #recordOverdraft(lease: HeldLease, overdraft: Overdraft): Promise<boolean> {
    if (!(await this.#options.accounts.recordOverdraft(lease, overdraft))) return false;
    lease.overdrafts = lease.overdrafts.filter((other) => other !== overdraft);
    return true;
  }

  #forget(lease: HeldLease): void {
    this.#leases.delete(lease.leaseId);
    this.#purses.get(lease.tokenId)?.drop(lease);
    this.#options.onGone();
  }
}
