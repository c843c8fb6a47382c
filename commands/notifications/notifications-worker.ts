import { channelOf, channelStream } from '../../domain/channel/channel.ts';
import { hasRunLow } from '../../domain/notification/low-balance.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { Audience, Tidings } from '../../schemas/events/notification.ts';
import { NotificationId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { CommandLog } from '../command-log.ts';
import { derivedId } from '../derived-id.ts';
import { BalanceChanges } from '../ledger/balance-changes.ts';
import { readState } from '../read-state.ts';
import { workerOf, type AnyWorker, type WorkContext } from '../workers/worker.ts';
import { runNotificationCommand } from './run-notification-command.ts';

export interface NotificationsDeps extends CommandLog {
  /** A balance that falls below it is told of; zero switches that off. */
  readonly lowBalance: Money;
}

/** Raises notifications: of balances that run low, for their owners; of channels that go off, and of providers where little is left, for administrators. */
export const notificationsWorker = (deps: NotificationsDeps): AnyWorker => {
  const balances = new BalanceChanges(deps.log);

  const raise = async (audience: Audience, tidings: Tidings, { command }: WorkContext): Promise<Refusal | null> => {
    const context = command(audience.kind === 'user' ? audience.userId : 'platform');
    const notificationId = NotificationId.parse(derivedId('ntf', context.commandId));
    const raised = await runNotificationCommand(deps, notificationId, { kind: 'raise', audience, tidings }, context);
    // Raised before, when the threshold or the channel's name was another: what was said then stands.
    return isRefusal(raised) && raised.refused !== 'idempotency_conflict' ? raised : null;
  };

  return workerOf({
    name: 'notifications',
    types: [
      'CreditGranted',
      'CreditExpired',
      'CreditAdjusted',
      'SpendLeaseGranted',
      'SpendLeaseSettled',
      'ChargeRefunded',
      'ChannelDisabled',
      'ChannelBalanceReported',
    ],
    handle: async (event, context) => {
      if (event.type === 'ChannelDisabled') {
        const { channelId, by, reason } = event.data;
        const { settings } = await readState(deps.log, channelStream(channelId), channelOf(channelId));
        return raise({ kind: 'administrators' }, { kind: 'channel_disabled', channelId, name: settings?.name ?? '', by, reason }, context);
      }
      if (event.type === 'ChannelBalanceReported') {
        const { channelId, currency, amount, fellBelow } = event.data;
        if (fellBelow === undefined) return null;
        const { settings } = await readState(deps.log, channelStream(channelId), channelOf(channelId));
        const tidings = {
          kind: 'channel_balance_low',
          channelId,
          name: settings?.name ?? '',
          currency,
          amount,
          threshold: fellBelow,
        } as const;
        return raise({ kind: 'administrators' }, tidings, context);
      }
      const { userId } = event.data;
      const { before, after } = await balances.of(userId, event, event.revision);
      if (!hasRunLow(before, after, deps.lowBalance)) return null;
      const tidings: Tidings = { kind: 'low_balance', userId, balance: after < 0n ? (0n as Money) : after, threshold: deps.lowBalance };
      return raise({ kind: 'user', userId }, tidings, context);
    },
  });
};
