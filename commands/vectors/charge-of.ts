import { decodeEvent } from '../../domain/kernel/event-codec.ts';
import { leaseStream } from '../../domain/ledger/lease.ts';
import type { LeaseId, RequestId } from '../../schemas/ids.ts';
import type { EventLog } from '../ports/event-log.ts';

/**
 * What became of a call's hold, by the lease that it was held on. `open`: it may still be charged, by whoever made the call; that ends when
 * the lease does.
 */
export const chargeOf = async (
  log: Pick<EventLog, 'readStream'>,
  leaseId: LeaseId,
  requestId: RequestId,
): Promise<'charged' | 'not charged' | 'open'> => {
  let outcome: 'charged' | 'not charged' | 'open' = 'open';
  for await (const recorded of log.readStream(leaseStream(leaseId))) {
    const event = decodeEvent(recorded);
    if (event.type === 'QuotaDebited' && event.data.requestId === requestId) return 'charged';
    if (event.type === 'QuotaReleased' && event.data.requestId === requestId) outcome = 'not charged';
    if (event.type === 'LeaseClosed') outcome = 'not charged';
  }
  return outcome;
};
