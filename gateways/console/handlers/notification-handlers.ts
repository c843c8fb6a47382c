import { runNotificationCommand } from '../../../commands/notifications/run-notification-command.ts';
import { stepOf } from '../../../commands/derived-id.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import type { NotificationReader } from '../../ports/console-reads.ts';
import { isAdministrator, type Caller } from '../caller.ts';
import type { Handlers } from '../handler.ts';
import { doneAt, pageOf, positionText, selfOf } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type NotificationHandlers = Pick<Handlers, 'listNotifications' | 'countUnreadNotifications' | 'readNotification' | 'readAllNotifications'>;

/** Unread notifications that are looked up at a time. */
const PAGE = 200;

const readerOf = (caller: Caller): NotificationReader => ({
  userId: caller.kind === 'user' ? caller.userId : null,
  isAdministrator: isAdministrator(caller),
});

export const notificationHandlers = (deps: HandlerDeps): NotificationHandlers => {
  const { reads } = deps;
  return {
    listNotifications: ({ caller, query }) => reads.notifications(readerOf(caller), query.unread !== undefined, pageOf(query)),

    countUnreadNotifications: async ({ caller }) => ({ unread: await reads.unreadNotifications(readerOf(caller)) }),

    readNotification: async ({ caller, params, context }) => {
      const userId = selfOf(caller);
      if (isRefusal(userId)) return userId;
      const reader = { userId, isAdministrator: isAdministrator(caller) };
      return doneAt(await runNotificationCommand(deps, params.notificationId, { kind: 'read', reader }, context(userId)));
    },

    readAllNotifications: async ({ caller, context }) => {
      const userId = selfOf(caller);
      if (isRefusal(userId)) return userId;
      const reader = { userId, isAdministrator: isAdministrator(caller) };
      let last: Position | null = null;
      let cursor: string | undefined;
      do {
        const page = await reads.notifications(reader, true, { cursor, limit: PAGE });
        for (const { notificationId } of page.rows) {
          const answer = await runNotificationCommand(
            deps,
            notificationId,
            { kind: 'read', reader },
            stepOf(context(userId), notificationId),
          );
          if (isRefusal(answer)) return answer;
          if (answer.position !== null && (last === null || answer.position > last)) last = answer.position;
        }
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      return { position: positionText(last) };
    },
  };
};
