import { computed, type ComputedRef, type WritableComputedRef } from 'vue';
import { useRoute } from 'vue-router';
import { useQueryUpdate } from './use-query-update.ts';

export interface Peek {
  readonly id: ComputedRef<string | null>;
  readonly open: WritableComputedRef<boolean>;
  readonly show: (id: string) => void;
  readonly close: () => void;
}

/** Which row stands open beside the list: `?peek=id`, so that it can be linked to and the back button closes it. */
export const usePeek = (): Peek => {
  const route = useRoute();
  const update = useQueryUpdate();
  const id = computed(() => (typeof route.query.peek === 'string' && route.query.peek !== '' ? route.query.peek : null));
  const close = (): void => {
    if (id.value !== null) update({ peek: undefined }, 'push');
  };
  return {
    id,
    // Walking from row to row is one step of the history, not many.
    show: (peek) => update({ peek }, id.value === null ? 'push' : 'replace'),
    close,
    open: computed({ get: () => id.value !== null, set: (open) => !open && close() }),
  };
};
