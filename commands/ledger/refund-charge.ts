import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { leaseStream } from '../../domain/ledger/lease.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { LeaseId, RequestId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Day } from '../../schemas/time.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { orLogUnavailable } from '../log-unavailable.ts';
import { reopenKey } from '../tokens/reopen-key.ts';
import type { AccountAnswer, AccountBook } from './account-book.ts';

export interface RefundCharge {
  readonly userId: UserId;
  readonly leaseId: LeaseId;
  readonly requestId: RequestId;
  readonly amount: Money;
  readonly reason: string;
}

export interface RefundDeps extends CommandLog {
  readonly book: Pick<AccountBook, 'execute' | 'read'>;
}

/**
 * Gives back part or all of a charge: to the wallet, to the caps that it counted against, and to its key's total quota, which opens the key again where it
 * had been closed for it. What was charged is read from the charge itself; all refunds together never exceed it.
 */
export const refundCharge = (deps: RefundDeps, refund: RefundCharge, context: CommandContext): Promise<AccountAnswer | Refusal> =>
  orLogUnavailable(findAndRefund(deps, refund, context));

const findAndRefund = async (
  deps: RefundDeps,
  { userId, leaseId, requestId, amount, reason }: RefundCharge,
  context: CommandContext,
): Promise<AccountAnswer | Refusal> => {
  let day: Day | null = null;
  for await (const recorded of deps.log.readStream(leaseStream(leaseId))) {
    if (recorded.type !== 'QuotaDebited' && recorded.type !== 'LeaseOpened') continue;
    const event = decodeEvent(recorded);
    if (event.type === 'LeaseOpened') ({ day } = event.data);
    if (event.type !== 'QuotaDebited' || event.data.requestId !== requestId) continue;
    if (event.data.userId !== userId || day === null) break;
    const { model, amount: charged, tokenId } = event.data;
    const refunded = await deps.book.execute(
      userId,
      { kind: 'refundCharge', leaseId, requestId, model, charged, amount, reason, counted: { tokenId, day } },
      context,
    );
    if (isRefusal(refunded)) return refunded;
    const reopened = await reopenKey(deps, tokenId, context);
    return isRefusal(reopened) ? reopened : refunded;
  }
  return refuse('not_found', 'There is no such charge.');
};
