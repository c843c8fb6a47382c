import { computed, type ComputedRef, type WritableComputedRef } from 'vue';
import { useRoute, useRouter } from 'vue-router';

export interface Peek {
  readonly id: ComputedRef<string | null>;
  readonly open: WritableComputedRef<boolean>;
  readonly show: (id: string) => void;
  readonly close: () => void;
}

/** Which row stands open beside the list: `?peek=id`, so that it can be linked to and the back button closes it. */
export const usePeek = (): Peek => {
  const route = useRoute();
  const router = useRouter();
  const id = computed(() => (typeof route.query.peek === 'string' && route.query.peek !== '' ? route.query.peek : null));
  const go = (peek: string | undefined): void => {
    const target = { query: { ...route.query, peek } };
    // Walking from row to row is one step of the history, not many.
    void (id.value !== null && peek !== undefined ? router.replace(target) : router.push(target));
  };
  const close = (): void => {
    if (id.value !== null) go(undefined);
  };
  return { id, show: go, close, open: computed({ get: () => id.value !== null, set: (open) => !open && close() }) };
};
