import { z } from 'zod';
import { Audience, Tidings } from '../events/notification.ts';
import { NotificationId } from '../ids.ts';
import { Instant } from '../time.ts';
import { AfterQuery, Done, PageQuery, pageOf } from './wire.ts';

export const NotificationView = z.object({
  notificationId: NotificationId,
  audience: Audience,
  tidings: Tidings,
  raisedAt: Instant,
  /** By whoever asks. */
  read: z.boolean(),
});

/** Newest first. `unread=true` leaves out what whoever asks has read. */
export const NotificationQuery = z.object({ ...PageQuery, unread: z.literal('true').optional() });
export const NotificationPage = pageOf(NotificationView);

export const UnreadQuery = z.object(AfterQuery);
export const UnreadCount = z.object({ unread: z.int().nonnegative() });

export const NotificationDone = Done;
