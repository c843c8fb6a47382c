import type { RequestHandler, Router } from 'express';
import type { Call, Caller } from '../call.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { TaskDesk } from './task-desk.ts';

export interface TaskRoutesDeps {
  readonly router: Router;
  readonly tasks: TaskDesk | null;
  readonly limits: RelayLimits;
  /** An answer that costs nothing, to whoever has a key for tasks. */
  readonly look: (routeName: string, answer: (call: Call, caller: Caller) => Promise<void>) => RequestHandler;
  readonly notThisMethod: (allowed: string) => (routeName: string) => RequestHandler;
}
