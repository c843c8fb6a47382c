import { z } from 'zod';
import { LimitPolicy } from '../limits.ts';

export const LimitsView = z.object({
  policy: LimitPolicy,
  /** For `If-Match`; -1 where nothing was ever set. */
  revision: z.int(),
});

/** All rules: those that are left out are no longer there. */
export const SetLimits = LimitPolicy;
