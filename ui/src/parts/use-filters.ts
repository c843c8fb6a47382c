import { computed, type ComputedRef } from 'vue';
import { useRoute } from 'vue-router';
import { countActive, patchFields, readFields, type Field, type Query, type ValuesOf } from '../lib/url-state.ts';
import { useQueryUpdate } from './use-query-update.ts';

export interface Filters<Values> {
  readonly values: ComputedRef<Values>;
  /** How many of those that narrow the list are set. */
  readonly narrowing: ComputedRef<number>;
  /** `typing` replaces the entry in the history, anything else adds one. */
  readonly set: (change: Partial<Values>, how?: 'typing' | 'commit') => void;
  /** Takes back those that narrow the list. */
  readonly clear: () => void;
}

/**
 * The URL owns filters: what is read is what it says, what is set goes there. `narrowing` names those that leave rows out of the list;
 * whose rows, of which period and in which view they are is not among them, so an empty list is not theirs.
 */
export const useFilters = <Shape extends Readonly<Record<string, Field<unknown>>>>(
  shape: Shape,
  narrowing: readonly (keyof Shape & string)[] = [],
): Filters<ValuesOf<Shape>> => {
  const route = useRoute();
  const update = useQueryUpdate();
  const values = computed(() => readFields(shape, route.query as Query));
  return {
    values,
    narrowing: computed(() => countActive(shape, values.value, narrowing)),
    set: (change, how = 'commit') => update(patchFields(shape, change), how === 'typing' ? 'replace' : 'push'),
    clear: () => {
      const initial = Object.fromEntries(narrowing.map((key) => [key, shape[key]?.initial])) as Partial<ValuesOf<Shape>>;
      update(patchFields(shape, initial), 'push');
    },
  };
};
