import type { Request, Response } from 'express';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { sendRefusal } from './answer.ts';
import { around, newCall } from './around-call.ts';
import { mayEnter, standing } from './authenticate.ts';
import type { Call, Caller } from './call.ts';
import { NoClient } from './detached-call.ts';
import { rulesOf } from './endpoints/endpoints.ts';
import { giveBack } from './give-back.ts';
import { releaseAfterBug, type HeldCall } from './held-call.ts';
import { proceed } from './hub-to-hold.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { SpendingRoute } from './spending-route.ts';

export interface OwnAnswer {
  readonly call: Call;
  readonly body: Buffer;
}

export interface OwnCallOptions {
  readonly keep?: Call['keep'];
  /** It is part of a request that the limits of its key count already. */
  readonly isCounted?: boolean;
}

const requestOf = (name: string): Request =>
  ({ headers: {}, method: 'POST', url: name, path: name, complete: true, socket: { destroyed: false } }) as unknown as Request;

/**
 * A call that the server makes for a key by itself: limited, routed, held for, charged and logged as any other. Where its key may be used
 * from was asked when its owner asked for what this is done for. Resolves once the charge is on record.
 */
export const ownCall = async (
  deps: PipelineDeps,
  asked: SpendingRoute,
  caller: Caller,
  body: Buffer,
  { keep = null, isCounted = false }: OwnCallOptions = {},
): Promise<OwnAnswer | Refusal> => {
  const res = new NoClient();
  const call = newCall(deps, requestOf(asked.name), res as unknown as Response, asked.name, asked.dialect);
  call.caller = caller;
  call.keep = keep;
  let refusal: Refusal | null = null;
  await around(deps, call, async () => {
    refusal = await admitted(deps, asked, caller, isCounted);
    if (refusal !== null) return sendRefusal(call, refusal);
    deps.inFlight.add(call);
    let held: HeldCall | null = null;
    const read = { body, upload: null, inHubForm: body, responses: undefined, parsed: undefined, pinned: undefined, task: null };
    try {
      await proceed(deps, call, asked, caller, read, (taken) => {
        held = taken;
      });
    } catch (cause) {
      await releaseAfterBug(deps, held);
      throw cause;
    } finally {
      giveBack(deps, call, isCounted ? null : caller);
    }
  });
  if (refusal !== null) return refusal;
  if (res.statusCode === 200 && call.errorCode === null && res.headersSent) return { call, body: res.body };
  return refuse(call.errorCode ?? 'upstream_failed', saidIn(res.body));
};

const admitted = async (deps: PipelineDeps, { endpoint }: SpendingRoute, caller: Caller, isCounted: boolean): Promise<Refusal | null> => {
  if (!deps.inFlight.admitting) return refuse('shutting_down', undefined, { retryAfterSeconds: 1 });
  const barred = standing(deps, caller, 'spend');
  if (barred !== null) return barred;
  if (!mayEnter(caller, rulesOf(endpoint).door)) return refuse('endpoint_not_allowed');
  if (isCounted) return null;
  const limited = await deps.limiter.enter(caller);
  return limited;
};

/** The sentence of an error that was answered. */
const saidIn = (body: Buffer): string | undefined => {
  try {
    const { error } = JSON.parse(body.toString('utf8')) as { readonly error?: { readonly message?: unknown } };
    return typeof error?.message === 'string' ? error.message : undefined;
  } catch {
    return undefined;
  }
};
