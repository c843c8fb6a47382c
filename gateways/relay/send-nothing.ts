import type { Countable } from '../../domain/tokens/chat-text.ts';
import { errorTable, isRefusal, refuse } from '../../schemas/errors.ts';
import { sendRefusal } from './answer.ts';
import type { Attempted } from './attempted.ts';
import { charge } from './charge.ts';
import { CLIENT_LEFT, release, type HeldCall } from './held-call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';

const nothingSaid = (): Countable => ({ texts: [], tokens: 0 });

/** Nobody answered: nothing is charged, unless the client left an upstream that had begun to. */
export const sendNothing = async (
  deps: PipelineDeps,
  held: HeldCall,
  attempted: Extract<Attempted, { kind: 'refused' | 'interrupted' }>,
): Promise<void> => {
  const { call, hold } = held;
  if (attempted.kind === 'refused') {
    call.errorCode = attempted.refusal.refused;
    await release(deps, held, 'upstream_failed', attempted.billed, errorTable[attempted.refusal.refused].status);
    return sendRefusal(call, attempted.refusal);
  }
  const left = call.interrupted !== 'shutdown';
  if (!left) call.errorCode = 'shutting_down';
  const { accepted } = attempted;
  if (left && accepted !== null) {
    held.ended = true;
    const charged = await charge(deps, call, hold, held.parsed, held.route, accepted, CLIENT_LEFT, { kind: 'absent' }, nothingSaid);
    if (isRefusal(charged)) call.errorCode = charged.refused;
    held.claim?.spent();
    return void call.res.destroy();
  }
  await release(deps, held, left ? 'client_left' : 'shutdown', attempted.billed, left ? CLIENT_LEFT : 503);
  return left ? void call.res.destroy() : sendRefusal(call, refuse('shutting_down'));
};
