import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { NotificationEvent } from '../../schemas/events/catalogue.ts';
import type { Audience, Tidings } from '../../schemas/events/notification.ts';
import type { NotificationId, StreamName, UserId } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const notificationStream = (notificationId: NotificationId): StreamName => streamName('notification', notificationId);

export interface Notification {
  /** `null` before it was raised. */
  readonly audience: Audience | null;
  readonly readBy: ReadonlySet<UserId>;
  readonly delivered: boolean;
}

const initial: Notification = { audience: null, readBy: new Set(), delivered: false };

const evolve = (state: Notification, { type, data }: NotificationEvent): Notification => {
  switch (type) {
    case 'NotificationRaised':
      return { ...initial, audience: data.audience };
    case 'NotificationRead':
      return { ...state, readBy: new Set(state.readBy).add(data.userId) };
    case 'NotificationDelivered':
      return { ...state, delivered: true };
  }
};

/** Somebody who may look at notifications. */
export interface Reader {
  readonly userId: UserId;
  readonly isAdministrator: boolean;
}

export type NotificationCommand =
  | { readonly kind: 'raise'; readonly audience: Audience; readonly tidings: Tidings }
  | { readonly kind: 'read'; readonly reader: Reader }
  | { readonly kind: 'recordDelivery'; readonly attempts: number };

const isFor = (audience: Audience, { userId, isAdministrator }: Reader): boolean =>
  audience.kind === 'user' ? audience.userId === userId : isAdministrator;

const decide = (
  command: NotificationCommand,
  state: Notification,
  notificationId: NotificationId,
): readonly NotificationEvent[] | Refusal => {
  if (command.kind === 'raise') {
    if (state.audience !== null) return [];
    return [{ type: 'NotificationRaised', data: { notificationId, audience: command.audience, tidings: command.tidings } }];
  }
  if (state.audience === null) return refuse('not_found', 'There is no such notification.');
  switch (command.kind) {
    case 'read': {
      // What is not for this reader does not exist for this reader.
      if (!isFor(state.audience, command.reader)) return refuse('not_found', 'There is no such notification.');
      const { userId } = command.reader;
      return state.readBy.has(userId) ? [] : [{ type: 'NotificationRead', data: { notificationId, userId } }];
    }
    case 'recordDelivery':
      return state.delivered ? [] : [{ type: 'NotificationDelivered', data: { notificationId, attempts: command.attempts } }];
  }
};

/** Something that somebody should know of. */
export const notificationOf = (notificationId: NotificationId): Decider<Notification, NotificationCommand, NotificationEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, notificationId),
});
