import { z } from 'zod';
import { NotificationId } from '../../../schemas/ids.ts';
import * as notifications from '../../../schemas/http/notifications.ts';
import type { Route } from '../route.ts';

const NotificationParams = z.object({ notificationId: NotificationId });

export const notificationRoutes = {
  listNotifications: {
    method: 'get',
    path: '/notifications',
    auth: 'user',
    tag: 'Notifications',
    summary: 'What the caller has been told, newest first.',
    query: notifications.NotificationQuery,
    answer: 'json',
    response: notifications.NotificationPage,
  },
  countUnreadNotifications: {
    method: 'get',
    path: '/notifications/unread',
    auth: 'user',
    tag: 'Notifications',
    summary: 'How many notifications the caller has not read.',
    query: notifications.UnreadQuery,
    answer: 'json',
    response: notifications.UnreadCount,
  },
  readAllNotifications: {
    method: 'post',
    path: '/notifications/read',
    auth: 'user',
    tag: 'Notifications',
    summary: 'Mark every notification as read by the caller.',
    answer: 'json',
    response: notifications.NotificationDone,
  },
  readNotification: {
    method: 'post',
    path: '/notifications/:notificationId/read',
    auth: 'user',
    tag: 'Notifications',
    summary: 'Mark a notification as read by the caller.',
    params: NotificationParams,
    answer: 'json',
    response: notifications.NotificationDone,
  },
} as const satisfies Record<string, Route>;
