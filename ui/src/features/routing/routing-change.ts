import { changedMeanwhile, rewrite } from '../../api/rewrite.ts';
import { readRoutingRules, setRoutingRules, type RoutingRule } from '../../api/routing.ts';

/** A rule put into the place of another, before all others or behind them, moved by one, or taken away. Rules have no names: each is what it says. */
export type RoutingChange =
  | { readonly kind: 'add'; readonly rule: RoutingRule; readonly where: 'first' | 'last' }
  | { readonly kind: 'replace'; readonly before: RoutingRule; readonly after: RoutingRule }
  | { readonly kind: 'move'; readonly rule: RoutingRule; readonly by: -1 | 1 }
  | { readonly kind: 'remove'; readonly rule: RoutingRule };

const same = (left: RoutingRule, right: RoutingRule): boolean => JSON.stringify(left) === JSON.stringify(right);

/** The rules with the change made; `null` where the rule that it is about is not among them any more. */
export const withRoutingChange = (rules: readonly RoutingRule[], change: RoutingChange): RoutingRule[] | null => {
  if (change.kind === 'add') return change.where === 'first' ? [change.rule, ...rules] : [...rules, change.rule];
  const wanted = change.kind === 'replace' ? change.before : change.rule;
  const place = rules.findIndex((rule) => same(rule, wanted));
  if (place < 0) return null;
  if (change.kind === 'replace') return rules.with(place, change.after);
  const others = rules.toSpliced(place, 1);
  if (change.kind === 'remove') return others;
  return others.toSpliced(Math.min(others.length, Math.max(0, place + change.by)), 0, wanted);
};

/** @throws {ApiFailure} `revision_mismatch` where somebody else changed this very rule meanwhile. */
export const changeRouting = (change: RoutingChange): ReturnType<typeof setRoutingRules> =>
  rewrite({
    read: async () => {
      const { rules, revision = -1 } = await readRoutingRules();
      return { whole: rules, revision };
    },
    change: (rules) => {
      const changed = withRoutingChange(rules, change);
      if (changed === null) throw changedMeanwhile();
      return changed;
    },
    write: setRoutingRules,
  });
