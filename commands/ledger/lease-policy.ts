import { dollars } from '../../domain/ledger/money.ts';
import type { Money } from '../../schemas/money.ts';

/** How leases live. Times in milliseconds. */
export interface LeasePolicy {
  /** New calls are admitted on a lease for this long (and never past the end of the account's day). */
  readonly admitsForMs: number;
  /** After that a silent holder is given this much longer before a sweeper takes it for dead. */
  readonly graceMs: number;
  /** A lease that nothing used for this long is given back. */
  readonly idleMs: number;
  /** How long a call waits for leases that others were asked to return. */
  readonly returnWaitMs: number;
  /** A lease used up faster than this doubles what the next one brings ahead of need. */
  readonly fastMs: number;
  /** Most that is ever brought ahead of need. */
  readonly aheadCeiling: Money;
}

export const DEFAULT_LEASE_POLICY: LeasePolicy = {
  admitsForMs: 30_000,
  graceMs: 15_000,
  idleMs: 5_000,
  returnWaitMs: 500,
  fastMs: 5_000,
  aheadCeiling: dollars(100),
};
