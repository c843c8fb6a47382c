import { useQuery } from '@pinia/colada';
import { computed, onScopeDispose, type ComputedRef } from 'vue';
import { countUnread } from '../../api/notifications.ts';

/** Often enough to be told in time, seldom enough to cost nothing. */
const LOOK_MS = 30_000;

/** How many notifications the reader has not read; zero while nobody knows. Asked again now and then while the page is in view. */
export const useUnread = (): ComputedRef<number> => {
  const query = useQuery({ key: ['notifications', 'unread'], query: ({ signal }) => countUnread(signal), staleTime: LOOK_MS / 2 });
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') query.refresh().catch(() => undefined);
  }, LOOK_MS);
  onScopeDispose(() => clearInterval(timer));
  return computed(() => query.data.value?.unread ?? 0);
};
