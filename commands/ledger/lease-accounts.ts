import { isKeySpent } from '../../domain/ledger/account.ts';
import type { Overdraft } from '../../domain/ledger/lease.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import { LeaseId, type CommandId, type TokenId, type UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { CommandContext } from '../command-context.ts';
import type { Clock } from '../ports/clock.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { IdSource } from '../ports/id-source.ts';
import type { AccountBook } from './account-book.ts';
import type { HeldLease } from './held-lease.ts';
import type { LeasePolicy } from './lease-policy.ts';

export type LeaseGrant = EventOf<'SpendLeaseGranted'>['data'];

/** How much money is asked of an account for a key. */
export interface LeaseWish {
  readonly userId: UserId;
  readonly tokenId: TokenId;
  /** Less than this is of no use. */
  readonly least: Money;
  readonly needed: Money;
  /** Beyond what is needed, if the account has it to spare. */
  readonly ahead: Money;
}

export interface LeaseAccountsOptions {
  readonly book: AccountBook;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly holder: string;
  readonly policy: LeasePolicy;
  readonly failpoints: Failpoints;
}

/** What one process asks of the accounts that its leases are of: money, more of it back, and the settlement of what was spent. */
export class LeaseAccounts {
  readonly #options: LeaseAccountsOptions;

  constructor(options: LeaseAccountsOptions) {
    this.#options = options;
  }

  /** A new lease, or why there is none. */
  async grant({ userId, tokenId, least, needed, ahead }: LeaseWish): Promise<LeaseGrant | Refusal> {
    const { book, clock, ids, holder, policy, failpoints } = this.#options;
    const leaseId = LeaseId.parse(ids.next('lse'));
    const { admitsForMs, graceMs } = policy;
    const now = clock.now();
    const answer = await book.execute(
      userId,
      { kind: 'grantSpendLease', leaseId, tokenId, holder, least, needed, ahead, now, admitsForMs, graceMs },
      this.#context(userId, leaseId, 'grant'),
    );
    if (isRefusal(answer)) return answer;
    const granted = answer.events.find((event) => event.type === 'SpendLeaseGranted');
    if (granted === undefined) throw new Error(`the account granted lease ${leaseId} without an event`);
    failpoints.hit('lease.granted');
    return granted.data;
  }

  /** What was not spent goes back. False when that could not be recorded. */
  async settle({ leaseId, userId, spent }: HeldLease): Promise<boolean> {
    const { book, failpoints } = this.#options;
    const answer = await book.execute(userId, { kind: 'settleLease', leaseId, spent }, this.#context(userId, leaseId, 'settle'));
    if (isRefusal(answer)) return false;
    failpoints.hit('lease.settled');
    return true;
  }

  /** An upstream billed more than was held. False when that could not be recorded. */
  async recordOverdraft({ leaseId, userId, tokenId }: HeldLease, { requestId, model, amount }: Overdraft): Promise<boolean> {
    const answer = await this.#options.book.execute(
      userId,
      { kind: 'recordOverdraft', leaseId, tokenId, requestId, model, amount },
      this.#context(userId, requestId, 'overdraft'),
    );
    return !isRefusal(answer);
  }

  /** Whether other processes hold leases of the account. */
  async othersHold(userId: UserId): Promise<boolean> {
    const { book, holder } = this.#options;
    const answer = await book.read(userId);
    return !isRefusal(answer) && [...answer.account.leases.values()].some((lease) => lease.holder !== holder);
  }

  /** Asks other processes for the leases that they do not use. */
  async requestReturns(userId: UserId): Promise<void> {
    const { book, ids, holder } = this.#options;
    await book.execute(userId, { kind: 'requestLeaseReturns', holder }, this.#context(userId, ids.next('cmd'), 'recall'));
  }

  /** Whether a key has spent all that it ever may. */
  async isKeySpent(userId: UserId, tokenId: TokenId): Promise<boolean> {
    const answer = await this.#options.book.read(userId);
    return !isRefusal(answer) && isKeySpent(answer.account, tokenId);
  }

  #context(userId: UserId, cause: string, step: string): CommandContext {
    return {
      commandId: `${cause}:${step}` as CommandId,
      correlationId: cause,
      causationId: cause,
      actor: { kind: 'system', id: this.#options.holder },
      tenant: userId,
      occurredAt: new Date(this.#options.clock.now()).toISOString(),
    };
  }
}
