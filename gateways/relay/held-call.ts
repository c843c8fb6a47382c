import type { z } from 'zod';
import type { ReleaseReason } from '../../schemas/events/lease.ts';
import type { Hold } from '../ports/spending.ts';
import type { Call } from './call.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import type { Claim } from './kept-answers.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { Route } from './route.ts';
import type { TaskAsked } from './tasks/task-asked.ts';

/** nginx's number for a request whose client closed the connection; never sent, only recorded. */
export const CLIENT_LEFT = 499;

/** A call whose money is set aside. */
export interface HeldCall {
  readonly call: Call;
  /** Without its body once an answer streams. */
  parsed: ParsedRequest;
  readonly route: Route;
  readonly hold: Hold;
  readonly claim: Claim | null;
  /** What it asks for takes longer than the call. */
  readonly task: TaskAsked | null;
  /** True once a charge or a release was asked for: the ledger has the last word then. */
  ended: boolean;
}

/** Is told of a call as soon as its money is set aside. */
export type OnHeld = (held: HeldCall) => void;

/** Milliseconds since the call began. */
export const elapsed = (deps: Pick<RelayDeps, 'stopwatch'>, call: Call): number => Math.round(deps.stopwatch.elapsed() - call.begun);

/** Gives the hold back: nothing is charged. */
export const release = async (
  deps: Pick<RelayDeps, 'spending' | 'stopwatch'>,
  held: HeldCall,
  reason: z.infer<typeof ReleaseReason>,
  reconcile: boolean,
  status: number,
): Promise<void> => {
  const { call, parsed, hold, claim } = held;
  held.ended = true;
  const refusal = await deps.spending.release(hold, { reason, reconcile, call: call.facts(parsed.endpoint, status, elapsed(deps, call)) });
  // A release that is not on record is made good by whoever sweeps the lease; the client owes nothing either way.
  if (refusal !== null) call.detail = `the release was not recorded: ${refusal.refused}`;
  claim?.open();
};

/** A bug must not keep money set aside. */
export const releaseAfterBug = async (deps: Pick<RelayDeps, 'spending' | 'stopwatch'>, held: HeldCall | null): Promise<void> => {
  if (held !== null && !held.ended) await release(deps, held, 'upstream_failed', true, 500);
};
