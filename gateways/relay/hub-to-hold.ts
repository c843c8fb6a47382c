import { errorTable, type Refusal } from '../../schemas/errors.ts';
import { sendRefusal } from './answer.ts';
import type { Call, Caller } from './call.ts';
import { parse, rulesOf } from './endpoints/endpoints.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import { boundaryOf } from './form-scanner.ts';
import { release, type HeldCall, type OnHeld } from './held-call.ts';
import { serve } from './hold-to-answer.ts';
import { keyedBy, replay, type Keyed } from './keyed-call.ts';
import { passLimits } from './limits/pass-limits.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { reserve, type Reserved } from './reserve.ts';
import { pinnedTo, route, type Route } from './route.ts';
import type { Pinned, SpendingRoute } from './spending-route.ts';
import type { TaskAsked } from './tasks/task-asked.ts';
import type { UnparsedCall } from './unparsed-call.ts';

/** A call from its route to its hold. */
interface Asking {
  readonly caller: Caller;
  readonly parsed: ParsedRequest;
  readonly pinned: Pinned | undefined;
  readonly task: TaskAsked | null;
  readonly keyed: Keyed | null;
  readonly onHeld: OnHeld;
}

/** The steps of a call that can spend, from its body up to the one from which money is set aside. */
export const proceed = (
  deps: PipelineDeps,
  call: Call,
  { endpoint, parseNative }: SpendingRoute,
  caller: Caller,
  read: UnparsedCall,
  onHeld: OnHeld,
): Promise<void> | void => {
  const { upload, inHubForm, responses, parsed: ready, pinned, task } = read;
  const rules = rulesOf(endpoint);
  const boundary = boundaryOf(call.req.headers['content-type']) ?? '';
  const inForm =
    ready !== undefined
      ? ready
      : upload !== null && rules.parseUpload !== undefined
        ? rules.parseUpload(upload, boundary)
        : parseNative === undefined
          ? parse(inHubForm, endpoint, deps.limits, boundary)
          : parseNative(inHubForm, deps.limits);
  if ('refused' in inForm) return sendRefusal(call, inForm);
  const parsed: ParsedRequest = responses !== undefined && inForm.endpoint === 'chat' ? { ...inForm, responses } : inForm;
  call.model = parsed.request.model;
  call.streamed = rules.streamed(parsed);

  const key = call.req.headers['idempotency-key'];
  const keyed = key === undefined ? null : keyedBy(call, endpoint, key, read, parsed);
  if (keyed !== null) {
    if ('refused' in keyed) return sendRefusal(call, keyed);
    const known = deps.kept.known(caller.token.tokenId, keyed.key, keyed.hash);
    if (known?.kind === 'refused') return sendRefusal(call, known.refusal);
    if (known?.kind === 'kept') return replay(call, known.answer);
  }

  const routed = route(deps.directory, caller, parsed.request.model, endpoint);
  if ('refused' in routed) return sendRefusal(call, routed);
  const asking: Asking = { caller, parsed, pinned, task, keyed, onHeld };
  if (deps.gate.isOpen) return setAside(deps, call, asking, routed);
  return passLimits(deps, call, caller, parsed, routed).then((passed) =>
    'refused' in passed ? sendRefusal(call, passed) : setAside(deps, call, asking, passed),
  );
};

const setAside = (deps: PipelineDeps, call: Call, asking: Asking, passed: Route): Promise<void> | void => {
  const { caller, parsed, pinned } = asking;
  const planned = pinned === undefined ? passed : pinnedTo(passed, pinned);
  const reserved = reserve(deps.spending, caller, call.requestId, parsed, planned);
  return reserved instanceof Promise
    ? reserved.then((answer) => spend(deps, call, asking, planned, answer))
    : spend(deps, call, asking, planned, reserved);
};

const spend = (deps: PipelineDeps, call: Call, asking: Asking, planned: Route, reserved: Reserved | Refusal): Promise<void> | void => {
  if ('refused' in reserved) return sendRefusal(call, reserved);
  const { parsed, task, keyed, onHeld } = asking;
  const held: HeldCall = { call, parsed, route: planned, hold: reserved.hold, claim: null, task, ended: false };
  onHeld(held);
  return keyed === null ? serve(deps, held, reserved.loweredOutput) : serveOnce(deps, held, asking, keyed, reserved.loweredOutput);
};

const serveOnce = async (
  deps: PipelineDeps,
  held: HeldCall,
  { caller, onHeld }: Asking,
  { key, hash }: Keyed,
  loweredOutput: number | null,
): Promise<void> => {
  const { call } = held;
  const claim = await deps.kept.claim(caller.token.tokenId, key, hash, call.requestId);
  if ('refused' in claim) {
    call.errorCode = claim.refused;
    await release(deps, held, 'refused', false, errorTable[claim.refused].status);
    return sendRefusal(call, claim);
  }
  const claimed: HeldCall = { ...held, claim };
  onHeld(claimed);
  return serve(deps, claimed, loweredOutput);
};
