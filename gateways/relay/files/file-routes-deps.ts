import type { RequestHandler } from 'express';
import type { KeyUse } from '../authenticate.ts';
import type { BodyRoom } from '../bodies/body-room.ts';
import type { Call, Caller } from '../call.ts';
import type { LimitGate } from '../limits/limit-gate.ts';
import type { RelayDeps } from '../relay-deps.ts';
import type { Watch } from '../watch.ts';

/** What the addresses of files and batches are made with. */
export interface FileRoutesDeps extends RelayDeps {
  readonly gate: LimitGate;
  readonly watch: Watch;
  readonly bodies: BodyRoom;
  readonly look: (
    routeName: string,
    door: 'files' | 'batches',
    answer: (call: Call, caller: Caller) => Promise<void>,
    use?: KeyUse,
  ) => RequestHandler;
  readonly notThisMethod: (allowed: string) => (routeName: string) => RequestHandler;
}
