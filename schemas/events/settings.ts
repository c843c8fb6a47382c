import { z } from 'zod';
import { UserId } from '../ids.ts';
import { RoutingRules } from './routing.ts';
import { LimitPolicy } from '../limits.ts';

export const settingsEvents = {
  /** The first event of an installation; that one process appends it is what makes the first start happen once. Again when another took over from one that died. */
  InstallationInitialised: z.object({ administratorId: UserId }),
  /** Everything that a first start makes is there, and its credentials have been shown. */
  InstallationCompleted: z.object({ administratorId: UserId }),
  /** All rules of routing, in their order; those before are gone. */
  RoutingRulesSet: z.object({ rules: RoutingRules }),
  /** All rules of limits at once. */
  LimitsSet: z.object({ policy: LimitPolicy }),
} as const;
