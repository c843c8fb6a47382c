import { errorTable, refuse } from '../../../schemas/errors.ts';
import type { DirectoryChannel } from '../../ports/directory.ts';
import { sendRefusal } from '../answer.ts';
import type { Call } from '../call.ts';
import { CLIENT_LEFT } from '../held-call.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import type { Exchanged } from './exchange.ts';
import { charge, release, type HeldMoney } from './held-money.ts';

const REFUSALS = {
  timed_out: 'upstream_timed_out',
  blocked: 'upstream_failed',
  unreachable: 'upstream_failed',
  broken: 'upstream_failed',
} as const;

/** The end of a call, from what became of its exchange. */
export const conclude = async (
  deps: PipelineDeps,
  call: Call,
  held: HeldMoney | null,
  channel: DirectoryChannel,
  { passed, attemptId }: Exchanged,
  isTooLarge: boolean,
): Promise<void> => {
  const { res } = call;
  if (passed.kind === 'unanswered') {
    if (passed.why === 'not_recorded') {
      held?.claim?.open();
      return sendRefusal(call, passed.refusal ?? refuse('log_unavailable'));
    }
    const left = call.interrupted === 'client_left';
    const refusal =
      passed.why === 'interrupted'
        ? refuse('shutting_down')
        : isTooLarge
          ? refuse('body_too_large', `The body is larger than the ${deps.limits.uploadBytes} bytes that are taken here.`)
          : refuse(REFUSALS[passed.why]);
    if (held !== null) {
      const reason = left ? 'client_left' : passed.why === 'interrupted' ? 'shutdown' : isTooLarge ? 'refused' : 'upstream_failed';
      const reconcile = passed.why !== 'blocked' && passed.why !== 'unreachable' && !isTooLarge;
      await release(deps, call, held, reason, reconcile, left ? CLIENT_LEFT : errorTable[refusal.refused].status);
    }
    return left ? void res.destroy() : sendRefusal(call, refusal);
  }
  if (passed.kind === 'judged') {
    if (held !== null) await release(deps, call, held, 'refused', false, 502);
    call.detail = `the upstream answered ${passed.status}`;
    return sendRefusal(call, refuse('upstream_refused'));
  }
  if (held !== null) {
    if (passed.status >= 400) await release(deps, call, held, 'refused', false, passed.status);
    else {
      const refused = await charge(deps, call, held, channel, attemptId, passed);
      if (refused !== null) {
        call.errorCode = refused.refused;
        return void res.destroy();
      }
    }
  }
  if (passed.kind === 'broken') {
    call.errorCode = call.interrupted === 'shutdown' ? 'shutting_down' : 'upstream_failed';
    return void res.destroy();
  }
  if (passed.status >= 400) call.errorCode = 'upstream_refused';
  if (call.clientGone) return void res.destroy();
  res.end(passed.rest);
};
