import { z } from 'zod';
import { Audience, Tidings } from '../../schemas/events/notification.ts';
import { NotificationId, UserId } from '../../schemas/ids.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const NOTIFICATIONS = { name: 'notifications', version: 1 } as const;

export const notificationTable = tableName(NOTIFICATIONS.name, NOTIFICATIONS.version);

export const NotificationDocument = z.object({
  notificationId: NotificationId,
  audience: Audience,
  tidings: Tidings,
  raisedAt: Instant,
  /** Where it was raised: what pages are ordered by. A decimal text, for it outgrows what a JSON number holds. */
  raisedPosition: z.string(),
  readBy: z.array(UserId),
  delivered: z.boolean(),
});
export type NotificationDocument = z.infer<typeof NotificationDocument>;
