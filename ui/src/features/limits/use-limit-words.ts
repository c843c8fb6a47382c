import { computed, type ComputedRef } from 'vue';
import { useI18n } from 'vue-i18n';
import type { LimitMeasure, LimitRule } from '../../api/limits.ts';
import { usePreferences } from '../../parts/preferences.ts';
import { useFormat } from '../../parts/use-format.ts';
import { SCOPES } from './limit-draft.ts';

export interface LimitWords {
  /** `20,000 tokens a minute for each user`. */
  readonly limit: (rule: LimitRule) => string;
  /** Whose calls it is for. */
  readonly scope: (rule: LimitRule) => string;
  /** How a bucket lets them through; `null` for a sliding window. */
  readonly pace: (rule: LimitRule) => string | null;
  /** What becomes of a call for which nothing is left. */
  readonly reached: (rule: LimitRule) => string;
}

/** So many names are told; the others are counted. */
const TOLD = 3;
const NANO_PER_MICRO = 1_000n;
/** What comes ahead of time from a leaky bucket that says nothing of it, as the relay has it: one call, or a tenth of the amount. */
const LEAKY_PART = 10;

const burstOf = (rule: Exclude<LimitRule, { measure: 'inFlight' }>): string => {
  const amount = BigInt(rule.amount);
  const unit = rule.measure === 'money' ? NANO_PER_MICRO : 1n;
  if (rule.burst !== undefined) return (BigInt(rule.burst) * unit).toString();
  if (rule.algorithm === 'tokenBucket') return amount.toString();
  return rule.measure === 'requests' ? '1' : ((amount + BigInt(LEAKY_PART) - 1n) / BigInt(LEAKY_PART)).toString();
};

/** Rules as sentences. */
export const useLimitWords = (): ComputedRef<LimitWords> => {
  const { t } = useI18n();
  const format = useFormat();
  const preferences = usePreferences();
  return computed(() => {
    const listed = (names: readonly string[], type: 'conjunction' | 'disjunction'): string =>
      new Intl.ListFormat(preferences.locale, { type }).format(names);
    const told = (names: readonly string[]): string =>
      names.length <= TOLD
        ? listed(names, 'disjunction')
        : t('limits.words.andMore', { names: names.slice(0, TOLD).join(', '), count: format.value.count(names.length - TOLD) });
    const amountOf = (measure: LimitMeasure, amount: string): string =>
      measure === 'money'
        ? format.value.moneyExact(amount)
        : t(`limits.words.amount.${measure}`, { count: format.value.count(BigInt(amount)) }, Number(amount));
    return {
      limit: (rule) => {
        const per =
          rule.per.length === 0
            ? t('limits.words.shared')
            : t('limits.words.each', {
                what: listed(
                  rule.per.map((dimension) => t(`limits.words.per.${dimension}`)),
                  'conjunction',
                ),
              });
        return t(`limits.words.sentence.${rule.measure === 'inFlight' ? 'inFlight' : rule.window}`, {
          amount: amountOf(rule.measure, String(rule.amount)),
          per,
        });
      },
      scope: (rule) => {
        const clauses = SCOPES.flatMap((scope) => {
          const names = rule.scope?.[scope] ?? [];
          return names.length === 0 ? [] : [t(`limits.words.scope.${scope}`, { names: told(names) })];
        });
        return clauses.length === 0
          ? t('limits.words.everyCall')
          : t('limits.words.only', { what: clauses.reduce((first, rest) => t('limits.words.also', { first, rest })) });
      },
      pace: (rule) =>
        rule.measure === 'inFlight' || rule.algorithm === undefined || rule.algorithm === 'slidingWindow'
          ? null
          : t(`limits.words.pace.${rule.algorithm}`, { amount: amountOf(rule.measure, burstOf(rule)) }),
      reached: ({ action = { kind: 'refuse' } }) => {
        if (action.kind === 'model') return t('limits.words.reached.model', { model: action.model });
        if (action.kind === 'wait')
          return t('limits.words.reached.wait', {
            time: format.value.duration(action.longestMs),
            count: format.value.count(action.mostWaiting),
          });
        return action.message === undefined ? t('limits.words.reached.refuse') : t('limits.words.reached.say', { message: action.message });
      },
    };
  });
};
