import { expect } from 'chai';
import type { MemoryLog } from '../../../support/memory-log.ts';
import { LedgerAudit } from '../../../support/auditor/ledger-audit.ts';

/** The rules of the ledger, held against all that was recorded by an auditor that shares no code with it. */
export const checkLedger = async (log: MemoryLog): Promise<void> => {
  const audit = new LedgerAudit({ admissionSlackMs: Number.MAX_SAFE_INTEGER });
  for await (const event of log.readAll()) audit.observe(event);
  expect(audit.violations).to.deep.equal([]);
};
