import { useQueryCache, type EntryKey } from '@pinia/colada';
import { computed, ref, shallowRef, type ComputedRef, type Ref } from 'vue';

export interface Action<Given extends readonly unknown[]> {
  /** Whether any is under way. */
  readonly busy: ComputedRef<boolean>;
  /** Whether it is under way for the one of that name, as `of` gives it. */
  readonly busyWith: (name: string) => boolean;
  /** Why the last one was not done. */
  readonly error: Ref<unknown>;
  /** `true` when it was done. Never rejects; a second call for the same one while the first runs does nothing, or waits its turn. */
  readonly run: (...given: Given) => Promise<boolean>;
  readonly reset: () => void;
}

export interface ActionOptions<Given extends readonly unknown[], Answer> {
  readonly perform: (...given: Given) => Promise<Answer>;
  readonly touches: readonly EntryKey[];
  /** Names what is acted upon: what is done to one row does not wait for another. Without it there is one at a time. */
  readonly of?: (...given: Given) => string;
  /** Each is done, in the order in which it was asked for: for steps that add up. Without it what is asked for while another runs is dropped. */
  readonly inTurn?: boolean;
  readonly done?: (answer: Answer, ...given: Given) => void;
  readonly failed?: (error: unknown) => void;
}

/**
 * One change: runs it, then has everything that shows what it touched loaded anew. After a failure too: others may have changed it
 * meanwhile, some of its steps may be done, or all of it while the answer was lost.
 */
export const useAction = <Given extends readonly unknown[], Answer>(options: ActionOptions<Given, Answer>): Action<Given> => {
  const cache = useQueryCache();
  const underWay = ref<readonly string[]>([]);
  const error = shallowRef<unknown>(null);
  const renew = (): void => {
    // A view that cannot be loaded anew says so itself.
    for (const key of options.touches) cache.invalidateQueries({ key }).catch(() => undefined);
  };
  const start = async (...given: Given): Promise<boolean> => {
    const name = options.of?.(...given) ?? '';
    if (underWay.value.includes(name)) return false;
    underWay.value = [...underWay.value, name];
    error.value = null;
    try {
      const answer = await options.perform(...given);
      renew();
      options.done?.(answer, ...given);
      return true;
    } catch (reason) {
      error.value = reason;
      renew();
      options.failed?.(reason);
      return false;
    } finally {
      underWay.value = underWay.value.filter((each) => each !== name);
    }
  };
  let turn: Promise<unknown> = Promise.resolve();
  const run = (...given: Given): Promise<boolean> => {
    if (options.inTurn !== true) return start(...given);
    const mine = turn.then(() => start(...given));
    turn = mine;
    return mine;
  };
  return {
    busy: computed(() => underWay.value.length > 0),
    busyWith: (name) => underWay.value.includes(name),
    error,
    run,
    reset: () => (error.value = null),
  };
};
