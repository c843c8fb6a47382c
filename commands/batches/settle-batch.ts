import type { Batch } from '../../domain/batch/batch.ts';
import { subtract, ZERO } from '../../domain/ledger/money.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import { CommandId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import type { AccountBook } from '../ledger/account-book.ts';
import { refundCharge } from '../ledger/refund-charge.ts';
import { orLogUnavailable } from '../log-unavailable.ts';
import { runBatchCommand } from './run-batch-command.ts';

export interface SettleBatchDeps extends CommandLog {
  readonly book: Pick<AccountBook, 'execute' | 'read'>;
}

export type BatchMeasure = Omit<EventOf<'BatchMeasured'>['data'], 'refund' | 'batchId' | 'at'>;

/**
 * Pays back what a batch was charged too much. Any number of processes may do so at once, and after any crash: what it used is recorded
 * once, by whoever is first; the refund is made of that record, and is one event, whose id follows from the batch's.
 */
export const settleBatch = (deps: SettleBatchDeps, batch: Batch, measure: BatchMeasure, at: string): Promise<Batch | Refusal> =>
  orLogUnavailable(settle(deps, batch, measure, at));

const settle = async (deps: SettleBatchDeps, batch: Batch, measure: BatchMeasure, at: string): Promise<Batch | Refusal> => {
  const { submitted } = batch;
  if (submitted === null || batch.settled !== null) return batch;
  const { batchId, userId, leaseId, requestId } = submitted;
  const context = (step: string): CommandContext => ({
    commandId: CommandId.parse(`${batchId}/${step}`),
    correlationId: requestId,
    causationId: batchId,
    actor: { kind: 'system', id: 'batches' },
    tenant: userId,
    occurredAt: at,
  });
  // Not the same command for everybody: two may have read differently, and the first counts.
  const own = (step: string): CommandContext => ({ ...context(step), commandId: CommandId.parse(`${batchId}/${step}/${at}`) });

  const known = await runBatchCommand(deps, batchId, { kind: 'measure', measure: { batchId, at, ...measure } }, own('measure'));
  if (isRefusal(known)) return known;
  if (known.state.settled !== null || known.state.measured === null) return known.state;
  const owed = known.state.measured.refund;

  const refund = async (amount: Money, step: string): Promise<Refusal | null> => {
    const reason = `Batch ${batchId}: less was used than was charged beforehand`;
    const answer = await refundCharge(deps, { userId, leaseId, requestId, amount, reason }, context(step));
    return isRefusal(answer) ? answer : null;
  };
  let refunded = owed;
  const refusal = owed > ZERO ? await refund(owed, 'refund') : null;
  if (refusal?.refused === 'not_found')
    // It came to no charge.
    refunded = ZERO;
  else if (refusal?.refused === 'exceeds_charge') {
    // Somebody has given a part of it back by hand.
    const book = await deps.book.read(userId);
    if (isRefusal(book)) return book;
    const back = book.account.refunded.get(requestId) ?? ZERO;
    const charged = known.state.started?.charged ?? submitted.held;
    const left = subtract(charged, back);
    refunded = left < owed ? left : owed;
    const rest = refunded > ZERO ? await refund(refunded, 'refund-rest') : null;
    if (rest !== null) return rest;
  } else if (refusal !== null) return refusal;
  const settled = await runBatchCommand(deps, batchId, { kind: 'settle', refunded, at }, own('settle'));
  return isRefusal(settled) ? settled : settled.state;
};
