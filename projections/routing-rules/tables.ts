import { z } from 'zod';
import { RoutingRules } from '../../schemas/events/routing.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const ROUTING_RULES = { name: 'routing-rules', version: 1 } as const;

export const routingRulesTable = tableName(ROUTING_RULES.name, ROUTING_RULES.version);

export const RoutingRulesDocument = z.object({ rules: RoutingRules, changedAt: Instant, revision: z.int() });
export type RoutingRulesDocument = z.infer<typeof RoutingRulesDocument>;
