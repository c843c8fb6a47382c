import type { ConsoleReads } from '../../ports/console-reads.ts';
import { countUnread, listNotifications } from '../../../projections/notifications/queries.ts';
import type { NotificationDocument } from '../../../projections/notifications/tables.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import { given } from './asked.ts';
import { CursorPosition, cursorsOf } from './cursor.ts';
import { readPage } from './page.ts';
import type { ReadsDeps } from './reads-deps.ts';

const cursors = cursorsOf(CursorPosition);

const placeOf = ({ raisedPosition }: NotificationDocument): Position => BigInt(raisedPosition) as Position;

export const notificationReads = ({ sql }: ReadsDeps): Pick<ConsoleReads, 'notifications' | 'unreadNotifications'> => ({
  notifications: async (reader, unread, page) => {
    const { rows, nextCursor } = await readPage(
      page,
      cursors,
      (before, limit) => listNotifications(sql, reader, { unread, ...given({ before }), limit }),
      placeOf,
    );
    return {
      rows: rows.map(({ notificationId, audience, tidings, raisedAt, readBy }) => ({
        notificationId,
        audience,
        tidings,
        raisedAt,
        read: reader.userId !== null && readBy.includes(reader.userId),
      })),
      nextCursor,
    };
  },

  unreadNotifications: (reader) => countUnread(sql, reader),
});
