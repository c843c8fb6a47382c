import type { LimitPolicy } from '../../schemas/limits.ts';

/** The limits in force, in memory and kept current. The object changes when they do. */
export interface LimitPolicies {
  readonly current: LimitPolicy;
}
