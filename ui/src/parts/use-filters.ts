import { computed, type ComputedRef } from 'vue';
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router';
import { countActive, readFields, writeFields, type Field, type Query, type ValuesOf } from '../lib/url-state.ts';

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
  const router = useRouter();
  const values = computed(() => readFields(shape, route.query as Query));
  const go = (next: ValuesOf<Shape>, how: 'typing' | 'commit'): void => {
    const target = { query: writeFields(shape, next, route.query as Query) as LocationQueryRaw, hash: route.hash };
    void (how === 'typing' ? router.replace(target) : router.push(target));
  };
  return {
    values,
    active: computed(() => countActive(shape, values.value)),
    set: (change, how = 'commit') => go({ ...values.value, ...change }, how),
    clear: () => go(readFields(shape, {}), 'commit'),
  };
};
