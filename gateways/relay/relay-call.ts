import type { Request, Response } from 'express';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { sendRefusal } from './answer.ts';
import { around, newCall, outcomeOf } from './around-call.ts';
import { authenticate } from './authenticate.ts';
import { begin } from './body-to-hub.ts';
import type { Call, Caller } from './call.ts';
import { rulesOf } from './endpoints/endpoints.ts';
import { giveBack } from './give-back.ts';
import { releaseAfterBug, type HeldCall } from './held-call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { receiveBody } from './receive-body.ts';
import type { SpendingRoute } from './spending-route.ts';
import { startCallSpan } from './trace.ts';

const ignore = (): void => undefined;

/** Whose call it is, and whether he may ask for this now. */
const admit = (deps: PipelineDeps, call: Call, asked: SpendingRoute): Promise<void> | void => {
  if (!deps.inFlight.admitting)
    return sendRefusal(call, refuse('shutting_down', undefined, { retryAfterSeconds: 1 }), ['connection', 'close']);
  const caller = authenticate(deps, call, rulesOf(asked.endpoint).door, 'spend');
  if (!(caller instanceof Promise)) return enter(deps, call, asked, caller);
  return caller.then((found) =>
    'refused' in found || deps.inFlight.admitting
      ? enter(deps, call, asked, found)
      : sendRefusal(call, refuse('shutting_down'), ['connection', 'close']),
  );
};

const enter = (deps: PipelineDeps, call: Call, asked: SpendingRoute, caller: Caller | Refusal): Promise<void> | void => {
  if ('refused' in caller) return sendRefusal(call, caller);
  const barred = asked.bars?.(caller) ?? null;
  if (barred !== null) return sendRefusal(call, barred);
  const entering = deps.limiter.enter(caller);
  if (entering !== null && !(entering instanceof Promise)) return sendRefusal(call, entering);
  deps.inFlight.add(call);
  const { res } = call;
  res.on('close', () => {
    if (!res.writableFinished) call.interrupt('client_left');
  });
  if (res.closed) call.interrupt('client_left');
  // A write that meets a connection's end is no reason to end the process: `close` says all there is to know.
  res.on('error', ignore);
  return work(deps, call, asked, caller, entering);
};

/** Everything that has to be given back in the end. */
const work = async (
  deps: PipelineDeps,
  call: Call,
  asked: SpendingRoute,
  caller: Caller,
  entering: Promise<Refusal | null> | null,
): Promise<void> => {
  let held: HeldCall | null = null;
  let limited: Refusal | null = null;
  try {
    if (entering !== null) {
      limited = await entering;
      if (limited !== null) return sendRefusal(call, limited);
    }
    const received = await receiveBody(deps, call, asked);
    await begin(deps, call, asked, caller, received, (taken) => {
      held = taken;
    });
  } catch (cause) {
    await releaseAfterBug(deps, held);
    throw cause;
  } finally {
    giveBack(deps, call, limited === null ? caller : null);
  }
};

/** Every address that can spend: authenticate, limit, parse, route, reserve, attempt, convert, stream, charge. */
export const relayCall = (deps: PipelineDeps, asked: SpendingRoute, req: Request, res: Response): Promise<void> => {
  const call = newCall(deps, req, res, asked.name, asked.dialect);
  const span = startCallSpan(deps.tracer, call);
  const answered = around(deps, call, () => admit(deps, call, asked));
  return span === null ? answered : answered.then(() => span.end(outcomeOf(call), call.res.headersSent ? call.res.statusCode : null));
};
