import type { RoutingRule } from '../../api/routing.ts';
import { namesIn, printNames } from '../../lib/name-list.ts';

export const STRATEGIES = ['weighted', 'round_robin', 'least_in_flight', 'lowest_latency', 'lowest_cost'] as const;
export const AFFINITIES = ['prompt_cache_key', 'session', 'user'] as const;
type Affinity = (typeof AFFINITIES)[number];

/** A rule as it stands in a form. */
export interface RoutingDraft {
  models: string;
  groups: string;
  strategy: RoutingRule['strategy'];
  /** In turn; empty for nothing more. */
  affinity: [Affinity | '', Affinity | '', Affinity | ''];
  hedge: string;
}
export type RoutingField = 'models' | 'groups' | 'affinity' | 'hedge';
/** Keys of messages under `routing.form.errors`, or sentences of the server's. */
export type RoutingDraftErrors = Partial<Record<RoutingField, string>>;

export const routingDraftOf = (rule: RoutingRule): RoutingDraft => ({
  models: printNames(rule.models),
  groups: printNames(rule.groups),
  strategy: rule.strategy,
  affinity: [rule.affinity[0] ?? '', rule.affinity[1] ?? '', rule.affinity[2] ?? ''],
  hedge: rule.hedgeMs === null ? '' : String(rule.hedgeMs),
});

/** What holds where no rule fits, to begin with. */
export const emptyRoutingDraft = (): RoutingDraft =>
  routingDraftOf({ models: null, groups: null, strategy: 'weighted', affinity: ['prompt_cache_key'], hedgeMs: null });

/** What the form says, or what is wrong with it. */
export const readRoutingDraft = (draft: RoutingDraft): { readonly rule: RoutingRule | null; readonly errors: RoutingDraftErrors } => {
  const errors: RoutingDraftErrors = {};
  const models = namesIn(draft.models);
  if (models.length > 200 || models.some((name) => name.length > 200)) errors.models = 'models';
  else if (models.some((name) => name.split('*').length > 2)) errors.models = 'stars';
  const groups = namesIn(draft.groups);
  if (groups.length > 100 || groups.some((name) => name.length > 64)) errors.groups = 'groups';
  const affinity = draft.affinity.filter((by) => by !== '');
  if (new Set(affinity).size !== affinity.length) errors.affinity = 'affinity';
  const written = draft.hedge.trim();
  const hedgeMs = written === '' ? null : /^\d{2,5}$/.test(written) ? Number(written) : 0;
  if (hedgeMs !== null && (hedgeMs < 50 || hedgeMs > 60_000)) errors.hedge = 'hedge';
  const rule: RoutingRule = {
    models: models.length === 0 ? null : models,
    groups: groups.length === 0 ? null : groups,
    strategy: draft.strategy,
    affinity,
    hedgeMs,
  };
  return { rule: Object.keys(errors).length === 0 ? rule : null, errors };
};

/** A field that the server found at fault, as the form names it: `rules.3.models.0` is `models`. */
export const routingFieldOf = (param: string | null): RoutingField | null => {
  const found = /^rules\.\d+\.(\w+)/.exec(param ?? '')?.[1];
  if (found === 'hedgeMs') return 'hedge';
  return found === 'models' || found === 'groups' || found === 'affinity' ? found : null;
};

/** Whether a rule before this one takes every call that it could fit. */
export const isUnreachable = (rules: readonly RoutingRule[], place: number): boolean =>
  rules.slice(0, place).some(({ models, groups }) => models === null && groups === null);
