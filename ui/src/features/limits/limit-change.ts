import { readLimits, setLimits, type LimitPolicy, type LimitRule } from '../../api/limits.ts';
import { changedMeanwhile, rewrite } from '../../api/rewrite.ts';

/** One rule made of another: without `before` it is new, without `after` it goes. */
export interface LimitChange {
  readonly before: LimitRule | null;
  readonly after: LimitRule | null;
}

const same = (left: LimitRule | undefined, right: LimitRule | null): boolean => JSON.stringify(left ?? null) === JSON.stringify(right);

/** The rules with one of them changed; `null` where it is no longer what `before` says. */
export const withLimitChange = (policy: LimitPolicy, { before, after }: LimitChange): LimitPolicy | null => {
  const id = before?.id ?? after?.id;
  if (
    !same(
      policy.rules.find((rule) => rule.id === id),
      before,
    )
  )
    return null;
  const put = after === null ? [] : [after];
  return {
    ...policy,
    rules: before === null ? [...policy.rules, ...put] : policy.rules.flatMap((rule) => (rule.id === id ? put : [rule])),
  };
};

const rewriteLimits = (change: (policy: LimitPolicy) => LimitPolicy): ReturnType<typeof setLimits> =>
  rewrite({
    read: async () => {
      const { policy, revision } = await readLimits();
      return { whole: policy, revision };
    },
    change,
    write: setLimits,
  });

/** @throws {ApiFailure} `revision_mismatch` where somebody else changed this very rule meanwhile. */
export const changeLimit = (change: LimitChange): ReturnType<typeof setLimits> =>
  rewriteLimits((policy) => {
    const changed = withLimitChange(policy, change);
    if (changed === null) throw changedMeanwhile();
    return changed;
  });

export const setWhenStoreAway = (whenStoreAway: LimitPolicy['whenStoreAway']): ReturnType<typeof setLimits> =>
  rewriteLimits((policy) => ({ ...policy, whenStoreAway }));
