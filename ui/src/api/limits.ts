import type { LimitsView } from '../../../schemas/http/limits.ts';
import type { LimitDimension as Dimension } from '../../../schemas/limits.ts';
import type { Done, Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';

export type Limits = Wire<typeof LimitsView>;
export type LimitPolicy = Limits['policy'];
export type LimitRule = LimitPolicy['rules'][number];
export type LimitMeasure = LimitRule['measure'];
export type LimitDimension = Dimension;

export const readLimits = (signal?: AbortSignal): Promise<Limits> => call('GET', '/limits', { signal });
export const setLimits = (policy: LimitPolicy, revision: number): Promise<Wire<typeof Done>> =>
  call('PUT', '/limits', { body: policy, revision });
