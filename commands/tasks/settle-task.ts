import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { leaseStream } from '../../domain/ledger/lease.ts';
import { subtract, ZERO } from '../../domain/ledger/money.ts';
import { owesRefund, type Task } from '../../domain/task/task.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import { CommandId, type LeaseId, type RequestId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import type { AccountBook } from '../ledger/account-book.ts';
import { refundCharge } from '../ledger/refund-charge.ts';
import { orLogUnavailable } from '../log-unavailable.ts';
import { runTaskCommand } from './run-task-command.ts';

export interface SettleDeps extends CommandLog {
  readonly book: Pick<AccountBook, 'execute' | 'read'>;
}

/** What a call was charged on its lease; `open`: its holder is about to say. */
const chargeOn = async (log: SettleDeps['log'], leaseId: LeaseId, requestId: RequestId): Promise<Money | 'open'> => {
  for await (const recorded of log.readStream(leaseStream(leaseId))) {
    if (recorded.type !== 'QuotaDebited' && recorded.type !== 'QuotaReleased' && recorded.type !== 'LeaseClosed') continue;
    const event = decodeEvent(recorded);
    if (event.type === 'LeaseClosed') return ZERO;
    if (event.type === 'QuotaDebited' && event.data.requestId === requestId) return event.data.amount;
    if (event.type === 'QuotaReleased' && event.data.requestId === requestId) return ZERO;
  }
  return 'open';
};

/**
 * Pays back what was charged for a task that came to nothing. Any number of processes may do so at once, and any number of times: the
 * refund is one event, whose id follows from the task's, and it is made of what is recorded, never of what an upstream said just now.
 * A task whose charge is not decided yet stays as it is, to be settled later.
 */
export const settleTask = (deps: SettleDeps, task: Task, at: string): Promise<Task | Refusal> => orLogUnavailable(settle(deps, task, at));

const settle = async (deps: SettleDeps, task: Task, at: string): Promise<Task | Refusal> => {
  const { submission, failure } = task;
  if (submission === null || !owesRefund(task)) return task;
  const { taskId, userId, leaseId, requestId } = submission;
  const context = (step: string): CommandContext => ({
    commandId: CommandId.parse(`${taskId}/${step}`),
    correlationId: requestId,
    causationId: taskId,
    actor: { kind: 'system', id: 'tasks' },
    tenant: userId,
    occurredAt: at,
  });
  const reason = `Task ${taskId}: ${failure?.code ?? task.status}`;
  const refund = async (amount: Money, step: string): Promise<Refusal | null> => {
    const answer = await refundCharge(deps, { userId, leaseId, requestId, amount, reason }, context(step));
    return isRefusal(answer) ? answer : null;
  };

  const charged = await chargeOn(deps.log, leaseId, requestId);
  if (charged === 'open') return task;
  let refunded = charged;
  const refusal = charged > ZERO ? await refund(charged, 'refund') : null;
  if (refusal !== null && refusal.refused !== 'exceeds_charge') return refusal;
  if (refusal !== null) {
    // Somebody has given a part of it back by hand.
    const book = await deps.book.read(userId);
    if (isRefusal(book)) return book;
    refunded = subtract(charged, book.account.refunded.get(requestId) ?? ZERO);
    const rest = refunded > ZERO ? await refund(refunded, 'refund-rest') : null;
    if (rest !== null) return rest;
  }
  const settled = await runTaskCommand(deps, taskId, { kind: 'settle', refunded }, context('settle'));
  return isRefusal(settled) ? settled : settled.state;
};
