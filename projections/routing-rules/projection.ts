import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { ROUTING_RULES, RoutingRulesDocument } from './tables.ts';

/** The rules of routing: one document, called as its stream is. */
export const routingRules = documentProjection({
  ...ROUTING_RULES,
  types: ['RoutingRulesSet'] as const,
  schema: RoutingRulesDocument,
  keyOf: () => 'routing',
  evolve: (
    _doc: RoutingRulesDocument | undefined,
    { data: { rules }, occurredAt, revision }: ProjectedEvent<'RoutingRulesSet'>,
  ): RoutingRulesDocument => ({ rules, changedAt: occurredAt, revision }),
});
