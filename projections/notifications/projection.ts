import { notificationEvents } from '../../schemas/events/notification.ts';
import type { NotificationEvent } from '../../schemas/events/catalogue.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { NotificationDocument, NOTIFICATIONS } from './tables.ts';

type NotificationEventType = NotificationEvent['type'];

const evolve = (
  doc: NotificationDocument | undefined,
  { type, data, position, occurredAt }: ProjectedEvent<NotificationEventType>,
): NotificationDocument | undefined => {
  if (type === 'NotificationRaised') {
    const { notificationId, audience, tidings } = data;
    return { notificationId, audience, tidings, raisedAt: occurredAt, raisedPosition: position.toString(), readBy: [], delivered: false };
  }
  if (doc === undefined) return undefined;
  switch (type) {
    case 'NotificationRead':
      return { ...doc, readBy: [...doc.readBy, data.userId] };
    case 'NotificationDelivered':
      return { ...doc, delivered: true };
  }
};

/** What people have been told, and who has read it. */
export const notifications = documentProjection({
  ...NOTIFICATIONS,
  types: Object.keys(notificationEvents) as readonly NotificationEventType[],
  schema: NotificationDocument,
  indexes: [`((doc->'audience'->>'userId'))`, `((doc->'audience'->>'kind'))`],
  keyOf: ({ data }) => data.notificationId,
  evolve,
});
