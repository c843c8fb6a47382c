import { useInfiniteQuery, type EntryKey } from '@pinia/colada';
import { computed, type ComputedRef, type MaybeRefOrGetter } from 'vue';
import type { Page } from '../api/span.ts';
import { viewOf, type View } from './view.ts';

export interface Pages<Row> {
  readonly view: ComputedRef<View<readonly Row[]>>;
  /** Empty until they are there. */
  readonly rows: ComputedRef<readonly Row[]>;
  readonly hasMore: ComputedRef<boolean>;
  /** Rejects where the next ones could not be loaded. */
  readonly more: () => Promise<unknown>;
  readonly refetch: () => Promise<unknown>;
}

/** A list that comes in pages by cursor. While another filter loads, the rows of the one before stay. */
export const usePages = <Row>(
  key: MaybeRefOrGetter<EntryKey>,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Row>>,
  options: { readonly enabled?: MaybeRefOrGetter<boolean> } = {},
): Pages<Row> => {
  const query = useInfiniteQuery<Page<Row>, Error, string | null>({
    key,
    query: ({ pageParam, signal }) => load(pageParam ?? undefined, signal),
    initialPageParam: null,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: (previous: { pages: Page<Row>[]; pageParams: (string | null)[] } | undefined) => previous,
    enabled: options.enabled ?? true,
  });
  const view = viewOf(query, (data) => data.pages.flatMap((page) => page.rows));
  return {
    view,
    rows: computed(() => (view.value.kind === 'ready' ? view.value.data : [])),
    hasMore: computed(() => query.hasNextPage.value),
    more: () => query.loadNextPage({ throwOnError: true }),
    refetch: () => query.refetch(),
  };
};
