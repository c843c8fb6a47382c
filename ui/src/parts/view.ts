import { computed, type ComputedRef, type Ref } from 'vue';

/**
 * What a page knows of its data. `ready` keeps the data while newer is on its way (`refreshing`) and when getting newer
 * failed (`stale` holds why): what was loaded once is not taken away again.
 */
export type View<Data> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly error: unknown; readonly retrying: boolean }
  | { readonly kind: 'ready'; readonly data: Data; readonly refreshing: boolean; readonly stale: unknown };

interface QueryLike<Raw> {
  readonly data: Ref<Raw | undefined>;
  readonly error: Ref<unknown>;
  readonly asyncStatus: Ref<'idle' | 'loading'>;
}

export const viewOf = <Raw, Data = Raw>(
  query: QueryLike<Raw>,
  map: (raw: Raw) => Data = (raw) => raw as unknown as Data,
): ComputedRef<View<Data>> => {
  const mapped = computed(() => (query.data.value === undefined ? undefined : { data: map(query.data.value) }));
  return computed(() => {
    const busy = query.asyncStatus.value === 'loading';
    const error = query.error.value;
    if (mapped.value !== undefined) return { kind: 'ready', data: mapped.value.data, refreshing: busy, stale: error };
    if (error !== null && error !== undefined) return { kind: 'failed', error, retrying: busy };
    return { kind: 'loading' };
  });
};
