import { refuse, type Refusal } from '../../schemas/errors.ts';
import { sendBody, sendRefusal } from './answer.ts';
import { around } from './around-call.ts';
import type { Call, Caller } from './call.ts';
import { detachedCall } from './detached-call.ts';
import { giveBack } from './give-back.ts';
import { elapsed, releaseAfterBug, type HeldCall, type OnHeld } from './held-call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { Background } from './spending-route.ts';

/** A call without its client, which is answered as soon as the money is set aside. */
export const inBackground = async (
  deps: PipelineDeps,
  client: Call,
  caller: Caller,
  background: Background,
  work: (call: Call, onHeld: OnHeld) => Promise<void> | void,
): Promise<void> => {
  if (client.req.headers['idempotency-key'] !== undefined)
    return sendRefusal(client, refuse('invalid_request', 'An Idempotency-Key is not possible together with background.'));
  const limited = await deps.limiter.enter(caller);
  if (limited !== null) return sendRefusal(client, limited);
  const { call, unheard } = detachedCall(client);
  deps.inFlight.add(call);
  let held: HeldCall | null = null;
  let started = (): void => undefined;
  const starting = new Promise<void>((resolve) => {
    started = resolve;
  });
  const working = async (): Promise<void> => {
    try {
      await work(call, (taken) => {
        held = taken;
        started();
      });
    } catch (cause) {
      await releaseAfterBug(deps, held);
      throw cause;
    }
  };
  let begun: Promise<Refusal | null> | null = null;
  const finished = around(deps, call, working)
    .finally(started)
    .then(async () => {
      await begun;
      await background.ended(call, unheard());
    })
    .catch((cause: unknown) => {
      const { requestId, route: name, startedAtText: startedAt } = call;
      const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      deps.logger.log({ requestId, startedAt, method: 'POST', route: name, status: 500, durationMs: elapsed(deps, call), detail });
    })
    .finally(() => giveBack(deps, call, caller));
  await starting;
  client.limitHeaders = call.limitHeaders;
  if (held === null) {
    await finished;
    const { status, body } = unheard();
    client.errorCode = call.errorCode;
    return sendBody(client, status, 'application/json', body);
  }
  begun = background.begin(call);
  const refusal = await begun;
  if (refusal === null) return background.answer(client);
  call.interrupt('client_left');
  sendRefusal(client, refusal);
};
