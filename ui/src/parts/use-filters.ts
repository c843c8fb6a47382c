import { computed, type ComputedRef } from 'vue';
import { useRoute } from 'vue-router';
import { countActive, patchFields, readFields, type Field, type Query, type ValuesOf } from '../lib/url-state.ts';
import { useQueryUpdate } from './use-query-update.ts';

export interface Filters<Values> {
  readonly values: ComputedRef<Values>;
  readonly active: ComputedRef<number>;
  /** `typing` replaces the entry in the history, anything else adds one. */
  readonly set: (change: Partial<Values>, how?: 'typing' | 'commit') => void;
  readonly clear: () => void;
}

/** The URL owns filters: what is read is what it says, what is set goes there. */
export const useFilters = <Shape extends Readonly<Record<string, Field<unknown>>>>(shape: Shape): Filters<ValuesOf<Shape>> => {
  const route = useRoute();
  const update = useQueryUpdate();
  const values = computed(() => readFields(shape, route.query as Query));
  return {
    values,
    active: computed(() => countActive(shape, values.value)),
    set: (change, how = 'commit') => update(patchFields(shape, change), how === 'typing' ? 'replace' : 'push'),
    clear: () => update(patchFields(shape, readFields(shape, {})), 'push'),
  };
};
