import type { RoutingSimulated, SimulateRouting } from '../../../schemas/http/routing.ts';
import type { Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';

export type Simulated = Wire<typeof RoutingSimulated>;

export const simulateRouting = (asked: Wire<typeof SimulateRouting>): Promise<Simulated> =>
  call('POST', '/routing/simulate', { body: asked });
