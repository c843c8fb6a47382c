import { computed, type ComputedRef } from 'vue';
import { useI18n } from 'vue-i18n';
import type { Considered, RoutingRule } from '../../api/routing.ts';
import { useFormat } from '../../parts/use-format.ts';

export interface RoutingWords {
  /** Which calls a rule is for. */
  readonly calls: (rule: RoutingRule) => string;
  readonly affinity: (rule: RoutingRule) => string;
  /** When a second channel is asked; `null` for never. */
  readonly hedge: (rule: RoutingRule) => string | null;
  /** Why a channel takes a call, or is passed over. */
  readonly why: (considered: Considered) => string;
}

/** So many names are told; the others are counted. */
const TOLD = 4;

/** Rules of routing, and what comes of them, as sentences. */
export const useRoutingWords = (): ComputedRef<RoutingWords> => {
  const { t } = useI18n();
  const format = useFormat();
  return computed(() => {
    const told = (names: readonly string[]): string =>
      names.length <= TOLD
        ? names.join(', ')
        : t('routing.words.andMore', { names: names.slice(0, TOLD).join(', '), count: format.value.count(names.length - TOLD) });
    return {
      calls: ({ models, groups }) =>
        models === null
          ? groups === null
            ? t('routing.words.every')
            : t('routing.words.groups', { groups: told(groups) })
          : groups === null
            ? told(models)
            : t('routing.words.both', { models: told(models), groups: told(groups) }),
      affinity: ({ affinity }) =>
        affinity.length === 0
          ? t('routing.words.apart')
          : t('routing.words.together', {
              by: affinity.map((by) => t(`routing.words.by.${by}`)).reduce((first, next) => t('routing.words.else', { first, next })),
            }),
      hedge: ({ hedgeMs }) => (hedgeMs === null ? null : t('routing.words.hedge', { time: format.value.duration(hedgeMs) })),
      why: (each) =>
        t(`routing.simulate.why.${each.calls > 0 ? 'chosen' : each.verdict}`, {
          priority: format.value.count(each.priority),
          model: each.upstreamModel,
        }),
    };
  });
};
