import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { LedgerAudit } from './ledger-audit.ts';

const LOOK_MS = 250;

/** Resolves when no lease is open any more: the living have given theirs back for want of use, and the dead ones' are swept. */
export const atRest = async (log: Pick<EventLog, 'readAll'>): Promise<void> => {
  for (;;) {
    const audit = new LedgerAudit();
    for await (const event of log.readAll({ filter: { categories: ['account', 'lease'] } })) audit.observe(event);
    if (audit.unsettled().length === 0) return;
    await pause(LOOK_MS);
  }
};
