import type { Call, Caller } from '../call.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import type { Route } from '../route.ts';
import type { Connected } from './connect.ts';

/** Between whom a session is, and for which model. */
export interface SessionParties {
  readonly deps: PipelineDeps;
  /** The session's own. */
  readonly call: Call;
  readonly caller: Caller;
  readonly route: Route;
  readonly served: Connected;
}

/** The upstream knows the model by another name. */
export const isRenamed = ({ route, served }: Pick<SessionParties, 'route' | 'served'>): boolean => served.upstreamModel !== route.model;
