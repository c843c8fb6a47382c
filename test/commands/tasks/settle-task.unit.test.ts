import { expect } from 'chai';
import { AccountBook } from '../../../commands/ledger/account-book.ts';
import { LeaseSweeper } from '../../../commands/ledger/lease-sweeper.ts';
import { refundCharge } from '../../../commands/ledger/refund-charge.ts';
import { runTaskCommand } from '../../../commands/tasks/run-task-command.ts';
import { settleTask } from '../../../commands/tasks/settle-task.ts';
import type { Task, TaskCommand } from '../../../domain/task/task.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import { submission, taskId } from '../../domain/task/task-samples.ts';
import { charge, context, money, openLedger, tokenId, userId, type LedgerRig } from '../ledger/ledger-rig.ts';

const AT = '2026-01-01T00:01:00.000Z';

interface Rig {
  readonly ledger: LedgerRig;
  /** Another process each time: what one keeps in memory the other does not know. */
  settle(): Promise<Task>;
  tell(command: TaskCommand): Promise<Task>;
  charged(): Promise<void>;
  readonly refunds: () => readonly bigint[];
  refundByHand(amount: number): Promise<void>;
  /** Ends the lease as that of a dead holder. */
  sweep(): Promise<void>;
}

const submittedFor = async (price: number): Promise<Rig> => {
  const ledger = await openLedger({ credit: 10_000 });
  const { log, appender } = ledger;
  const hold = await ledger.hold(price);
  const { leaseId, requestId } = hold;
  const tell = async (command: TaskCommand): Promise<Task> => {
    const done = await runTaskCommand({ log, appender }, taskId, command, context());
    if (isRefusal(done)) throw new Error(done.message);
    return done.state;
  };
  let state = await tell({ kind: 'submit', submission: submission({ userId, leaseId, requestId, price: money(price) }) });
  return {
    ledger,
    tell: async (command) => (state = await tell(command)),
    settle: async () => {
      const settled = await settleTask({ log, appender, book: new AccountBook(log, appender) }, state, AT);
      if (isRefusal(settled)) throw new Error(settled.message);
      return settled;
    },
    charged: async () => {
      await ledger.keeper.charge(hold, charge(price));
    },
    sweep: async () => {
      const sweeper = new LeaseSweeper({
        log,
        appender,
        book: new AccountBook(log, appender),
        clock: { now: () => 0 },
        sweeper: 'sweeper',
      });
      await sweeper.sweep([{ leaseId, userId, tokenId, expiresAt: 0 }], { holdersAreDead: true });
    },
    refunds: () => ledger.events('ChargeRefunded').map(({ amount }) => amount),
    refundByHand: async (amount) => {
      const refund = { userId, leaseId, requestId, amount: money(amount), reason: 'by hand' };
      if (isRefusal(await refundCharge({ log, appender, book: new AccountBook(log, appender) }, refund, context())))
        throw new Error('refused');
    },
  };
};

const FAILED: TaskCommand = { kind: 'report', news: { status: 'failed', code: 'x', reason: 'y' }, at: AT };

describe('settling a task', () => {
  it('pays a failed task back once, however many do so at once', async () => {
    const rig = await submittedFor(100);
    await rig.charged();
    await rig.tell(FAILED);
    const settled = await Promise.all(Array.from({ length: 8 }, () => rig.settle()));
    for (const { refunded } of settled) expect(refunded).to.equal(100n);
    expect(rig.refunds()).to.deep.equal([100n]);
    expect(rig.ledger.events('TaskSettled')).to.have.length(1);
    expect((await rig.settle()).refunded).to.equal(100n);
    expect(rig.refunds()).to.deep.equal([100n]);
  });

  it('pays nothing back for one that succeeded or still runs', async () => {
    const rig = await submittedFor(100);
    await rig.charged();
    expect((await rig.settle()).refunded).to.equal(null);
    await rig.tell({ kind: 'report', news: { status: 'succeeded' }, at: AT });
    expect((await rig.settle()).refunded).to.equal(null);
    expect(rig.refunds()).to.deep.equal([]);
  });

  it('waits for a charge that may still come, and then pays it back', async () => {
    const rig = await submittedFor(100);
    await rig.tell(FAILED);
    expect((await rig.settle()).refunded).to.equal(null);
    await rig.charged();
    expect((await rig.settle()).refunded).to.equal(100n);
    expect(rig.refunds()).to.deep.equal([100n]);
  });

  it('pays back nothing where the holder of the lease died before the charge', async () => {
    const rig = await submittedFor(100);
    await rig.tell(FAILED);
    await rig.sweep();
    expect((await rig.settle()).refunded).to.equal(0n);
    expect(rig.refunds()).to.deep.equal([]);
  });

  it('pays back what is left of a charge that was given back in part by hand', async () => {
    const rig = await submittedFor(100);
    await rig.charged();
    await rig.refundByHand(30);
    await rig.tell(FAILED);
    expect((await rig.settle()).refunded).to.equal(70n);
    expect(rig.refunds()).to.deep.equal([30n, 70n]);
  });
});
