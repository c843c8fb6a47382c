import { createAppendQueue } from '../../commands/append-queue.ts';
import { AccountBook } from '../../commands/ledger/account-book.ts';
import { LeaseKeeper } from '../../commands/ledger/lease-keeper.ts';
import { DEFAULT_LEASE_POLICY, type LeasePolicy } from '../../commands/ledger/lease-policy.ts';
import type { EventLog } from '../../commands/ports/event-log.ts';
import { systemClock } from '../../infra/clock.ts';
import { timeSortedIds } from '../../infra/ids.ts';
import { every } from '../../infra/server/every.ts';
import { followAccounts } from '../../infra/server/follow-accounts.ts';

/** The part of a gateway process that spends, wired as a server wires it: one connection to the log, one queue, one keeper. */
export interface SpendingProcess {
  readonly keeper: LeaseKeeper;
  readonly book: AccountBook;
  /** Gives leases back and closes the log. */
  stop(): Promise<void>;
}

export const startSpending = (log: EventLog, holder: string, policy: Partial<LeasePolicy> = {}): SpendingProcess => {
  const queue = createAppendQueue(log);
  const book = new AccountBook(log, queue);
  const keeper = new LeaseKeeper({
    book,
    appender: queue,
    clock: systemClock,
    ids: timeSortedIds,
    holder,
    policy: { ...DEFAULT_LEASE_POLICY, ...policy },
  });
  const stopping = new AbortController();
  const following = followAccounts(log, (event) => keeper.onAccountEvent(event), stopping.signal);
  const stopTicking = every(
    1_000,
    () => keeper.tick(),
    (error) => {
      throw error;
    },
  );
  return {
    keeper,
    book,
    stop: async () => {
      await keeper.stop();
      await stopTicking();
      stopping.abort();
      await following;
      await queue.close();
      await log.close();
    },
  };
};
