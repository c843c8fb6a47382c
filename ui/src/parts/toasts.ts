import { shallowRef } from 'vue';
import type { Toast } from '../ui/toast.ts';

const SHOWN_MS = 6_000;
const MOST = 4;

let next = 1;
let held = false;
const timers = new Map<number, ReturnType<typeof setTimeout>>();

/** Newest last. */
export const toasts = shallowRef<readonly Toast[]>([]);

export const dismissToast = (id: number): void => {
  clearTimeout(timers.get(id));
  timers.delete(id);
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
};

const count = (id: number): void => {
  clearTimeout(timers.get(id));
  if (!held)
    timers.set(
      id,
      setTimeout(() => dismissToast(id), SHOWN_MS),
    );
};

/** Trouble stays until it is dismissed; the rest leaves by itself. */
const show = (toast: Omit<Toast, 'id'>): void => {
  const id = next++;
  toasts.value = [...toasts.value, { ...toast, id }].slice(-MOST);
  if (toast.tone !== 'bad') count(id);
};

export const toastDone = (title: string, more: Pick<Toast, 'detail' | 'action'> = {}): void => show({ tone: 'ok', title, ...more });
export const toastTrouble = (title: string, detail?: string): void =>
  show({ tone: 'bad', title, ...(detail === undefined ? {} : { detail }) });

/** A pointer or the focus is on the toasts: none leaves meanwhile. */
export const holdToasts = (hold: boolean): void => {
  held = hold;
  for (const toast of toasts.value) {
    if (toast.tone === 'bad') continue;
    if (hold) clearTimeout(timers.get(toast.id));
    else count(toast.id);
  }
};
