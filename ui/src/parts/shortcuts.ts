import { onScopeDispose, shallowReactive } from 'vue';
import { usePreferences } from './preferences.ts';

export interface Shortcut {
  /** One key (`c`, `/`, `?`, `Escape`) or two in turn (`g k`). */
  readonly keys: string;
  /** Key of the message that says what it does. */
  readonly words: string;
  readonly run: () => void;
  /** Not shown in the sheet of shortcuts. */
  readonly quiet?: boolean;
}

const SEQUENCE_MS = 1_000;
const layers = shallowReactive<(readonly Shortcut[])[]>([]);

/** Everything that can be pressed now, the newest layer last. */
export const currentShortcuts = (): readonly Shortcut[] => layers.flat();

/** In force while the calling component lives. */
export const useShortcuts = (shortcuts: readonly Shortcut[]): void => {
  layers.push(shortcuts);
  onScopeDispose(() => {
    const index = layers.indexOf(shortcuts);
    if (index >= 0) layers.splice(index, 1);
  });
};

const takesText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type)));

const inFloat = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.closest('[role="menu"], [role="listbox"], [role="dialog"][aria-modal="true"], [role="alertdialog"]') !== null;

/** Listens once for the whole app. Single keys never fire where text is typed or inside a float, and can be switched off (WCAG 2.1.4). */
export const listenForShortcuts = (): (() => void) => {
  const preferences = usePreferences();
  let first: { readonly key: string; readonly at: number } | null = null;
  const onKey = (event: KeyboardEvent): void => {
    if (
      !preferences.singleKeys ||
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      takesText(event.target) ||
      inFloat(event.target)
    )
      return;
    const all = [...currentShortcuts()].reverse();
    const pair = first !== null && event.timeStamp - first.at < SEQUENCE_MS ? `${first.key} ${event.key}` : null;
    const found = all.find((shortcut) => shortcut.keys === pair) ?? all.find((shortcut) => shortcut.keys === event.key);
    first =
      found === undefined && all.some((shortcut) => shortcut.keys.startsWith(`${event.key} `))
        ? { key: event.key, at: event.timeStamp }
        : null;
    if (found === undefined) return;
    event.preventDefault();
    found.run();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
};
