import { useQueryCache, type EntryKey } from '@pinia/colada';
import { ref, type Ref } from 'vue';
import { isFailure } from '../api/failure.ts';

export interface Action<Given extends readonly unknown[]> {
  readonly busy: Ref<boolean>;
  readonly error: Ref<unknown>;
  /** `true` when it was done. Never rejects; a second call while one runs does nothing. */
  readonly run: (...given: Given) => Promise<boolean>;
  readonly reset: () => void;
}

/**
 * One change: runs it, then has everything that shows what it touched loaded anew. After a conflict too, since what is
 * shown is then known to be old.
 */
export const useAction = <Given extends readonly unknown[], Answer>(options: {
  readonly perform: (...given: Given) => Promise<Answer>;
  readonly touches: readonly EntryKey[];
  readonly done?: (answer: Answer, ...given: Given) => void;
  readonly failed?: (error: unknown) => void;
}): Action<Given> => {
  const cache = useQueryCache();
  const busy = ref(false);
  const error = ref<unknown>(null);
  const renew = (): void => {
    // A view that cannot be loaded anew says so itself.
    for (const key of options.touches) cache.invalidateQueries({ key }).catch(() => undefined);
  };
  const run = async (...given: Given): Promise<boolean> => {
    if (busy.value) return false;
    busy.value = true;
    error.value = null;
    try {
      const answer = await options.perform(...given);
      renew();
      options.done?.(answer, ...given);
      return true;
    } catch (reason) {
      error.value = reason;
      if (isFailure(reason) && (reason.status === 409 || reason.status === 412)) renew();
      options.failed?.(reason);
      return false;
    } finally {
      busy.value = false;
    }
  };
  return { busy, error, run, reset: () => (error.value = null) };
};
