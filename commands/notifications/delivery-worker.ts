import { z } from 'zod';
import { notificationOf, notificationStream } from '../../domain/notification/notification.ts';
import { isRefusal, refuse } from '../../schemas/errors.ts';
import { notificationEvents } from '../../schemas/events/notification.ts';
import type { CommandLog } from '../command-log.ts';
import type { Webhook } from '../ports/webhook.ts';
import { readState } from '../read-state.ts';
import { workerOf, type AnyWorker } from '../workers/worker.ts';
import { runNotificationCommand } from './run-notification-command.ts';

/**
 * Tells a webhook of every notification. That it was told is recorded, so that an event that comes again is not sent again; only
 * between the receiver's answer and the record of it a second sending is possible, and it bears the same id.
 */
export const deliveryWorker = (deps: CommandLog & { readonly webhook: Webhook }): AnyWorker =>
  workerOf({
    name: 'notification-delivery',
    types: ['NotificationRaised'],
    takesLong: true,
    handle: async ({ data, recordedAt }, { attempt, signal, command }) => {
      const { notificationId, audience } = data;
      const { delivered } = await readState(deps.log, notificationStream(notificationId), notificationOf(notificationId));
      if (delivered) return null;
      const told = { type: 'notification.raised', raisedAt: recordedAt, ...z.encode(notificationEvents.NotificationRaised, data) };
      const failure = await deps.webhook.send(notificationId, JSON.stringify(told), signal);
      if (failure !== null) return refuse('upstream_failed', failure);
      const context = command(audience.kind === 'user' ? audience.userId : 'platform');
      const recorded = await runNotificationCommand(deps, notificationId, { kind: 'recordDelivery', attempts: attempt }, context);
      return isRefusal(recorded) ? recorded : null;
    },
  });
