import { unsettledLeases } from '../../../projections/account-balances/queries.ts';
import { services } from '../../container/identifiers.ts';
import { every } from '../every.ts';
import type { RoleContext } from '../role-context.ts';

/** How often leases are looked for whose holders are dead. */
const SWEEP_MS = 5_000;

/** Ends what dead processes left: their leases and the reservations in them. */
export const sweep = async ({ container, config, onClose, failed }: RoleContext): Promise<void> => {
  const programLog = container.get(services.programLog);
  const [readModels, sweeper] = await Promise.all([container.getAsync(services.readModels), container.getAsync(services.leaseSweeper)]);
  const sweepOnce = async (holdersAreDead: boolean): Promise<void> => {
    const report = await sweeper.sweep(await unsettledLeases(readModels.database), { holdersAreDead });
    if (report.closed + report.settled > 0) programLog.warn('ended what a dead process left', { ...report });
  };
  // Alone on an embedded log, everything that is open was left by a process that is gone.
  await sweepOnce(config.DATABASE_URL === undefined);
  onClose(every(SWEEP_MS, () => sweepOnce(false), failed('the sweep')));
};
