import type { NotificationView } from '../../../schemas/http/notifications.ts';
import type { Done, Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';
import type { Page, Paging } from './span.ts';

export type Notification = Wire<typeof NotificationView>;

export const listNotifications = (paging: Paging, signal?: AbortSignal): Promise<Page<Notification>> =>
  call('GET', '/notifications', { query: { ...paging }, signal });
export const countUnread = (signal?: AbortSignal): Promise<{ readonly unread: number }> => call('GET', '/notifications/unread', { signal });
export const readNotification = (notificationId: string): Promise<Wire<typeof Done>> =>
  call('POST', `/notifications/${encodeURIComponent(notificationId)}/read`);
export const readAllNotifications = (): Promise<Wire<typeof Done>> => call('POST', '/notifications/read');
