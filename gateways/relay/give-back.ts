import type { Call, Caller } from './call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';

/** Gives back all that a call has while it runs but its money. `caller`: who has it counted among his own; `null` where nobody has. */
export const giveBack = (
  { limiter, gate, inFlight }: Pick<PipelineDeps, 'limiter' | 'gate' | 'inFlight'>,
  call: Call,
  caller: Caller | null,
): void => {
  if (caller !== null) limiter.leave(caller);
  if (call.pass !== null) gate.leave(call.pass, call.usage, call.cost);
  inFlight.delete(call);
  call.room?.release();
};
