import * as routing from '../../../schemas/http/routing.ts';
import { Done } from '../../../schemas/http/wire.ts';
import type { Route } from '../route.ts';

export const routingRoutes = {
  readRoutingRules: {
    method: 'get',
    path: '/routing/rules',
    auth: 'admin',
    tag: 'Routing',
    summary: 'How calls are spread over channels, the first rule that fits a call first.',
    query: routing.RoutingRulesQuery,
    answer: 'json',
    response: routing.RoutingRulesView,
  },
  setRoutingRules: {
    method: 'put',
    path: '/routing/rules',
    auth: 'admin',
    tag: 'Routing',
    summary: 'Replace the rules of routing.',
    body: routing.SetRoutingRules,
    ifMatch: true,
    answer: 'json',
    response: Done,
  },
  simulateRouting: {
    method: 'post',
    path: '/routing/simulate',
    auth: 'admin',
    tag: 'Routing',
    summary: 'Where calls would go, who is passed over, and why.',
    body: routing.SimulateRouting,
    answer: 'json',
    response: routing.RoutingSimulated,
  },
} as const satisfies Record<string, Route>;
