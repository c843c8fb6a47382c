import { BalanceCare } from '../../../commands/channels/care-for-balances.ts';
import { careForChannels } from '../../../commands/channels/care-for-channels.ts';
import { balanceAsker } from '../../../gateways/console/balance-asker.ts';
import { channelProbe } from '../../../gateways/console/channel-probe.ts';
import { listChannels } from '../../../projections/channels/queries.ts';
import { systemClock } from '../../clock.ts';
import { timeSortedIds } from '../../ids.ts';
import { unsettledLeases } from '../../../projections/account-balances/queries.ts';
import { TaskPoller } from '../../tasks/task-poller.ts';
import { services } from '../../container/identifiers.ts';
import { every } from '../every.ts';
import type { RoleContext } from '../role-context.ts';

/** How often leases are looked for whose holders are dead. */
const SWEEP_MS = 5_000;

/** How often it is looked for tasks that upstreams are to be asked about. */
const POLL_MS = 3_000;

/** How often channels are looked at that are off, or fail, or are to be tested. */
const CARE_MS = 15_000;

/** How often upstreams are asked for batches that they have not been heard to be done with. */
const BATCH_MS = 60_000;

/** Ends what dead processes left: their leases and the reservations in them. Tries channels that the platform took out of use. Asks about tasks and batches, and what is left
 * at providers. */
export const sweep = async ({ container, config, stopping, onClose, failed }: RoleContext): Promise<void> => {
  const programLog = container.get(services.programLog);
  const [readModels, sweeper] = await Promise.all([container.getAsync(services.readModels), container.getAsync(services.leaseSweeper)]);
  const sweepOnce = async (holdersAreDead: boolean): Promise<void> => {
    const report = await sweeper.sweep(await unsettledLeases(readModels.database), { holdersAreDead });
    if (report.closed + report.settled > 0) programLog.warn('ended what a dead process left', { ...report });
  };
  // Alone on an embedded log, everything that is open was left by a process that is gone.
  await sweepOnce(config.DATABASE_URL === undefined);
  const [log, appender, secretBox, sandbox, desk] = await Promise.all([
    container.getAsync(services.eventLog),
    container.getAsync(services.appendQueue),
    container.getAsync(services.secretBox),
    container.getAsync(services.sandbox),
    container.getAsync(services.taskDesk),
  ]);
  const probe = channelProbe({
    upstream: container.get(services.upstreamPools),
    clock: systemClock,
    sandboxUrl: () => sandbox?.baseUrl ?? null,
  });
  const balanceCare = new BalanceCare({
    ...{ log, appender, secretBox, clock: systemClock, ids: timeSortedIds },
    balances: balanceAsker({ upstream: container.get(services.upstreamPools), sandboxUrl: () => sandbox?.baseUrl ?? null }),
  });
  const careForBalances = async (): Promise<void> => {
    if (stopping.aborted) return;
    const { refused } = await balanceCare.round(await listChannels(readModels.database));
    if (refused.length > 0)
      programLog.warn('providers did not say what is left', {
        refused: refused.map(({ channelId, refusal }) => `${channelId}: ${refusal.message}`),
      });
  };
  const care = async (): Promise<void> => {
    if (stopping.aborted) return;
    const report = await careForChannels(
      { log, appender, secretBox, probe, clock: systemClock, ids: timeSortedIds },
      await listChannels(readModels.database),
    );
    if (report.recovered.length > 0) programLog.info('channels work again', { channels: report.recovered });
    if (report.refused.length > 0)
      programLog.warn('channels could not be tested', { refused: report.refused.map(({ message }) => message) });
  };
  const poller = new TaskPoller({ database: readModels.database, desk, registry: container.get(services.metrics).registry });
  onClose(every(POLL_MS, () => poller.tick(stopping), failed('asking about tasks')));
  const files = await container.getAsync(services.fileDesk);
  onClose(every(BATCH_MS, async () => void (await files.tick(stopping)), failed('the care of batches')));
  onClose(every(CARE_MS, care, failed('the care of channels')));
  onClose(every(CARE_MS, careForBalances, failed('asking what is left at providers')));
  onClose(every(SWEEP_MS, () => sweepOnce(false), failed('the sweep')));
};
