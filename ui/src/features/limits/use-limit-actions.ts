import { useI18n } from 'vue-i18n';
import type { LimitPolicy, LimitRule } from '../../api/limits.ts';
import { toastDone } from '../../parts/toasts.ts';
import { useAction, type Action } from '../../parts/use-action.ts';
import { useTrouble } from '../../parts/use-trouble.ts';
import { changeLimit, setWhenStoreAway } from './limit-change.ts';

export interface LimitActions {
  /** Switches a rule on or off. */
  readonly turn: Action<[LimitRule, boolean]>;
  readonly remove: Action<[LimitRule]>;
  readonly setWhenAway: Action<[LimitPolicy['whenStoreAway']]>;
}

export const useLimitActions = (): LimitActions => {
  const { t } = useI18n();
  const { tell } = useTrouble();
  const touches = [['limits']];
  return {
    turn: useAction({
      perform: (rule: LimitRule, on: boolean) => changeLimit({ before: rule, after: { ...rule, enabled: on } }),
      touches,
      of: ({ id }) => id,
      done: (_, { name }, on) => toastDone(t(on ? 'limits.turnedOn' : 'limits.turnedOff', { name })),
      failed: (error) => tell(t('limits.failed.turn'), error),
    }),
    remove: useAction({
      perform: (rule: LimitRule) => changeLimit({ before: rule, after: null }),
      touches,
      done: (_, { name }) => toastDone(t('limits.removed', { name })),
    }),
    setWhenAway: useAction({
      perform: setWhenStoreAway,
      touches,
      done: () => toastDone(t('limits.away.saved')),
      failed: (error) => tell(t('limits.failed.away'), error),
    }),
  };
};
