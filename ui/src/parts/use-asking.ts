import { computed, shallowRef, type ComputedRef, type Ref } from 'vue';
import type { Action } from './use-action.ts';

/** Somebody is asked before it is done: about what, whether it is under way, and why it was not done. */
export interface Asking<Subject> {
  readonly subject: ComputedRef<Subject | null>;
  readonly busy: ComputedRef<boolean>;
  readonly error: Readonly<Ref<unknown>>;
  readonly ask: (subject: Subject) => void;
  readonly leave: () => void;
  /** Does it, and asks no more once it is done. */
  readonly confirm: () => Promise<void>;
}

/**
 * Asks before an action. `current` finds the subject as it is by now: who is told that others changed it meanwhile can then do it
 * all the same.
 */
export const useAsking = <Subject>(
  action: Pick<Action<[Subject]>, 'run' | 'busy' | 'error' | 'reset'>,
  options: { readonly current?: (asked: Subject) => Subject | undefined; readonly done?: () => void } = {},
): Asking<Subject> => {
  const asked = shallowRef<Subject | null>(null);
  const subject = computed(() => (asked.value === null ? null : (options.current?.(asked.value) ?? asked.value)));
  const leave = (): void => {
    asked.value = null;
  };
  return {
    subject,
    busy: action.busy,
    error: action.error,
    ask: (about) => {
      action.reset();
      asked.value = about;
    },
    leave,
    confirm: async () => {
      if (subject.value === null || !(await action.run(subject.value))) return;
      leave();
      options.done?.();
    },
  };
};
