import { computed, type WritableComputedRef } from 'vue';
import { useShortcuts } from './shortcuts.ts';
import type { Filters } from './use-filters.ts';

/** Whether the form for a new row stands open: `?new=1`, so that it can be linked to. `c` calls `create`, which opens it. */
export const useCreating = (filters: Filters<{ readonly new: boolean }>, create?: () => void): WritableComputedRef<boolean> => {
  const creating = computed({ get: () => filters.values.value.new, set: (open) => filters.set({ new: open }) });
  useShortcuts([{ keys: 'c', words: 'shell.shortcuts.create', run: create ?? (() => (creating.value = true)) }]);
  return creating;
};
