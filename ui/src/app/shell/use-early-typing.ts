import { useEventListener } from '@vueuse/core';
import type { Ref } from 'vue';

/**
 * Keeps what is typed or pasted between the moment a float opens and the moment its field has the focus, which may be a download later.
 * Without it those letters are lost, or taken for shortcuts of the page beneath.
 *
 * @param field selector of the field; what happens in there is its own affair
 */
export const useEarlyTyping = (open: Ref<boolean>, text: Ref<string>, field: string): void => {
  const isEarly = (event: Event): boolean => open.value && !(event.target instanceof Element && event.target.closest(field) !== null);
  const take = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
  };
  useEventListener(
    document,
    'keydown',
    (event: KeyboardEvent) => {
      if (!isEarly(event) || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      take(event);
      if (event.key === 'Escape') open.value = false;
      else if (event.key === 'Backspace') text.value = text.value.slice(0, -1);
      else if (event.key.length === 1) text.value += event.key;
    },
    { capture: true },
  );
  useEventListener(
    document,
    'paste',
    (event: ClipboardEvent) => {
      if (!isEarly(event)) return;
      take(event);
      text.value += event.clipboardData?.getData('text/plain') ?? '';
    },
    { capture: true },
  );
};
