import type { Ref } from 'vue';
import type { Peek } from './use-peek.ts';
import { useShortcuts } from './shortcuts.ts';

/** `j` and `k` walk the rows of a list while one stands open, or open the first. */
export const useRowWalk = (ids: Readonly<Ref<readonly string[]>>, peek: Peek): void => {
  const step = (by: 1 | -1): void => {
    const here = peek.id.value === null ? -1 : ids.value.indexOf(peek.id.value);
    const next = here === -1 ? ids.value[0] : ids.value[Math.min(ids.value.length - 1, Math.max(0, here + by))];
    if (next !== undefined && next !== peek.id.value) peek.show(next);
    if (next !== undefined) document.querySelector(`[data-row="${CSS.escape(next)}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  useShortcuts([
    { keys: 'j', words: 'shell.shortcuts.nextRow', run: () => step(1) },
    { keys: 'k', words: 'shell.shortcuts.previousRow', run: () => step(-1) },
  ]);
};
