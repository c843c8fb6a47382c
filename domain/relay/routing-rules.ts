import type { RoutingRule, RoutingRules } from '../../schemas/events/routing.ts';
import { starOf } from './name-pattern.ts';

/** How a call is routed. */
export type Routing = Pick<RoutingRule, 'strategy' | 'affinity' | 'hedgeMs'>;

/** Where no rule fits. A client that names a cache key means to meet the cache again. */
export const DEFAULT_ROUTING: Routing = { strategy: 'weighted', affinity: ['prompt_cache_key'], hedgeMs: null };

/** The first rule that fits the model and the group. */
export const routingFor = (rules: RoutingRules, model: string, group: string): Routing =>
  rules.find(
    ({ models, groups }) =>
      (models === null || models.some((pattern) => starOf(pattern, model) !== null)) && (groups === null || groups.includes(group)),
  ) ?? DEFAULT_ROUTING;
