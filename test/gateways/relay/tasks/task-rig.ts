import { AccountBook } from '../../../../commands/ledger/account-book.ts';
import type { TaskDesk } from '../../../../gateways/relay/tasks/task-desk.ts';
import type { TaskDocument } from '../../../../projections/tasks/tables.ts';
import { openLedger, userId, type LedgerRig } from '../../../commands/ledger/ledger-rig.ts';
import { startRelay, type RelayHarness } from '../relay-harness.ts';
import { memoryDesk, taskDocuments } from './memory-desk.ts';

export interface TaskRig {
  readonly relay: RelayHarness;
  readonly ledger: LedgerRig;
  readonly desk: TaskDesk;
  /** What works on tasks in another process. */
  anotherDesk(): TaskDesk;
  /** Milliseconds since the Unix epoch. */
  readonly clock: { now: number };
  documents(): readonly TaskDocument[];
  /** What the user has, once all leases are given back. */
  balance(): Promise<bigint>;
  close(): Promise<void>;
}

/** The relay on real money, over a log in memory. */
export const startTaskRelay = async ({ credit = 10_000_000_000 }: { readonly credit?: number } = {}): Promise<TaskRig> => {
  const ledger = await openLedger({ credit });
  const { log, appender } = ledger;
  const time = { now: Date.parse('2026-01-01T12:00:00.000Z') };
  const clock = { now: () => time.now };
  const newDesk = (): TaskDesk => memoryDesk({ log, appender, book: new AccountBook(log, appender), clock, relay: () => relay });
  const desk = newDesk();
  const relay: RelayHarness = await startRelay({ tasks: desk, spending: ledger.keeper, clock });
  return {
    relay,
    ledger,
    desk,
    anotherDesk: newDesk,
    clock: time,
    documents: () => taskDocuments(log),
    balance: async () => {
      await ledger.keeper.stop();
      const read = await new AccountBook(log, appender).read(userId);
      if ('refused' in read) throw new Error(read.message);
      return read.account.wallet;
    },
    close: () => relay.close(),
  };
};
