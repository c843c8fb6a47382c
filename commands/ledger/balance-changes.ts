import { accountOf, accountStream, balanceOf, type Account } from '../../domain/ledger/account.ts';
import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import type { Revision } from '../../schemas/event-envelope.ts';
import type { AccountEvent } from '../../schemas/events/catalogue.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { EventLog } from '../ports/event-log.ts';

interface Page {
  readonly revision: Revision;
  readonly account: Account;
}

/**
 * What single events did to the balances of accounts, from the accounts' own streams. Accounts that were looked at are remembered, so that the
 * next event of one needs no reading; an event that comes again is answered by reading its stream up to it.
 */
export class BalanceChanges {
  readonly #log: Pick<EventLog, 'readStream'>;
  readonly #capacity: number;
  readonly #pages = new Map<UserId, Page>();

  constructor(log: Pick<EventLog, 'readStream'>, capacity = 10_000) {
    this.#log = log;
    this.#capacity = capacity;
  }

  /** The balance, what leases hold included, before and after an event of the account. */
  async of(userId: UserId, event: AccountEvent, revision: Revision): Promise<{ readonly before: Money; readonly after: Money }> {
    const known = this.#pages.get(userId);
    const before = known?.revision === revision - 1 ? known.account : await this.#read(userId, revision, known);
    const after = accountOf(userId).evolve(before, event);
    if (known === undefined || known.revision < revision) {
      this.#pages.delete(userId);
      this.#pages.set(userId, { revision, account: after });
      if (this.#pages.size > this.#capacity) this.#forgetOldest();
    }
    return { before: balanceOf(before), after: balanceOf(after) };
  }

  #forgetOldest(): void {
    const oldest = this.#pages.keys().next();
    if (oldest.done !== true) this.#pages.delete(oldest.value);
  }

  async #read(userId: UserId, upTo: Revision, known: Page | undefined): Promise<Account> {
    const { initial, evolve } = accountOf(userId);
    const base = known !== undefined && known.revision < upTo ? known : { revision: -1, account: initial };
    const missing = upTo - base.revision - 1;
    let account = base.account;
    if (missing > 0) {
      for await (const recorded of this.#log.readStream(accountStream(userId), { from: base.revision + 1, limit: missing }))
        account = evolve(account, decodeEvent(recorded) as AccountEvent);
    }
    return account;
  }
}
