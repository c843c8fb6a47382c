import type { RoutingRulesView, RoutingSimulated, SimulateRouting } from '../../../schemas/http/routing.ts';
import type { Done, Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';

export type RoutingRules = Wire<typeof RoutingRulesView>;
export type RoutingRule = RoutingRules['rules'][number];
export type Simulated = Wire<typeof RoutingSimulated>;
export type Considered = Simulated['considered'][number];

export const readRoutingRules = (signal?: AbortSignal): Promise<RoutingRules> => call('GET', '/routing/rules', { signal });
export const setRoutingRules = (rules: RoutingRule[], revision: number): Promise<Wire<typeof Done>> =>
  call('PUT', '/routing/rules', { body: { rules }, revision });
export const simulateRouting = (asked: Wire<typeof SimulateRouting>): Promise<Simulated> =>
  call('POST', '/routing/simulate', { body: asked });
