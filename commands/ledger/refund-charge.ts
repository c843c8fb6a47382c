import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { leaseStream } from '../../domain/ledger/lease.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { LeaseId, RequestId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { CommandContext } from '../command-context.ts';
import { orLogUnavailable } from '../log-unavailable.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { AccountAnswer, AccountBook } from './account-book.ts';

export interface RefundCharge {
  readonly userId: UserId;
  readonly leaseId: LeaseId;
  readonly requestId: RequestId;
  readonly amount: Money;
  readonly reason: string;
}

/** Gives back part or all of a charge. What was charged is read from the charge itself; all refunds together never exceed it. */
export const refundCharge = (
  log: Pick<EventLog, 'readStream'>,
  book: Pick<AccountBook, 'execute'>,
  refund: RefundCharge,
  context: CommandContext,
): Promise<AccountAnswer | Refusal> => orLogUnavailable(findAndRefund(log, book, refund, context));

const findAndRefund = async (
  log: Pick<EventLog, 'readStream'>,
  book: Pick<AccountBook, 'execute'>,
  refund: RefundCharge,
  context: CommandContext,
): Promise<AccountAnswer | Refusal> => {
  for await (const recorded of log.readStream(leaseStream(refund.leaseId))) {
    if (recorded.type !== 'QuotaDebited') continue;
    const event = decodeEvent(recorded);
    if (event.type !== 'QuotaDebited' || event.data.requestId !== refund.requestId) continue;
    if (event.data.userId !== refund.userId) break;
    const { leaseId, requestId, amount, reason } = refund;
    return book.execute(
      refund.userId,
      { kind: 'refundCharge', leaseId, requestId, model: event.data.model, charged: event.data.amount, amount, reason },
      context,
    );
  }
  return refuse('not_found', 'There is no such charge.');
};
