import type { Request, Response } from 'express';
import type { Provider } from '../../../domain/providers/provider.ts';
import { errorTable, isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { sendRefusal } from '../answer.ts';
import { authenticate } from '../authenticate.ts';
import { CallRoom } from '../bodies/body-room.ts';
import type { Call, Caller } from '../call.ts';
import type { AnswerDialect } from '../dialects/answer-dialect.ts';
import { anthropicAnswers } from '../dialects/anthropic-answers.ts';
import { geminiAnswers } from '../dialects/gemini-answers.ts';
import { openaiAnswers } from '../dialects/openai-answers.ts';
import { CLIENT_LEFT } from '../held-call.ts';
import { limitHeaders } from '../limits/limit-headers.ts';
import { around, newCall } from '../around-call.ts';
import { giveBack } from '../give-back.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { relayCall } from '../relay-call.ts';
import type { SpendingRoute } from '../spending-route.ts';
import { startCallSpan } from '../trace.ts';
import { mappedBy } from '../upstream-address.ts';
import { readAsking } from './asking.ts';
import { conclude } from './conclude.ts';
import { exchange, type Exchanged } from './exchange.ts';
import { hold, release, type HeldMoney } from './held-money.ts';
import { knownAddress } from './known-address.ts';
import { CHANNEL_HEADER, mayName, onlyOpened, opened, openedTo, pick } from './open-channels.ts';
import { passedAddress, type PassedAddress } from './passed-address.ts';
import { isOfCalls, methodOf, type Method } from './passed-method.ts';

/** In metrics and logs. */
export const PASS_THROUGH = '/providers/{provider}/{address}';

const answersOf = ({ dialect }: Provider): AnswerDialect =>
  dialect === 'anthropic' ? anthropicAnswers : dialect === 'gemini' ? geminiAnswers : openaiAnswers;

const run = async (deps: PipelineDeps, call: Call, caller: Caller, method: Method, address: PassedAddress): Promise<void> => {
  const { provider, rest } = address;
  const { directory } = deps;
  const given = call.req.headers[CHANNEL_HEADER];
  const wanted = typeof given === 'string' ? given : null;
  const barred = mayName(caller, wanted);
  if (barred !== null) return sendRefusal(call, barred);
  const open = openedTo(caller, opened(directory, provider.id, wanted));
  if (open.length === 0)
    return sendRefusal(call, refuse('not_found', `No channel of ${provider.name} is open here to that provider’s own addresses.`));

  const asking = await readAsking(deps, call, caller, method, address, open);
  if (asking === 'left') return;
  if (isRefusal(asking)) return sendRefusal(call, asking);
  const { price } = asking;
  const isCall = isOfCalls(method, rest, price);
  const fitting = open.filter(
    ({ settings }) =>
      (isCall || settings.passThrough === 'everything') && (price?.byUsage !== true || mappedBy(settings, price.model) !== null),
  );
  if (fitting.length === 0)
    return sendRefusal(
      call,
      refuse(
        'endpoint_not_allowed',
        `Channels of ${provider.name} are open here to calls of models, and not to ${method} ${rest.slice(0, 200)}.`,
      ),
    );
  if (price !== null) call.model = price.model;

  if (!deps.gate.isOpen) {
    const reckoned = { input: 0, output: 0, cost: 0 };
    const entered = await deps.gate.enterReckoned(call, caller, price?.model ?? '', () => reckoned);
    if (entered.kind !== 'instead') call.limitHeaders = limitHeaders(call.dialect.name, entered.standings, deps.clock.now());
    if (entered.kind === 'refused') return sendRefusal(call, entered.refusal);
    // Another model would be another call, which nobody here could put into words.
    if (entered.kind === 'instead') return sendRefusal(call, refuse('rate_limited'));
    call.pass = entered.pass;
  }
  const channel = pick(fitting, price?.model ?? '', deps.states, deps.random(), deps.sandboxUrl());
  if (channel === null)
    return sendRefusal(call, refuse('no_channel', undefined, { retryAfterSeconds: deps.states.secondsUntilReady(fitting) }));

  let held: HeldMoney | null = null;
  if (price !== null) {
    const taken = await hold(deps, call, caller, price, asking.body);
    if (isRefusal(taken)) return sendRefusal(call, taken);
    held = taken;
  }
  if (call.clientGone) {
    if (held !== null) await release(deps, call, held, 'client_left', false, CLIENT_LEFT);
    return void call.res.destroy();
  }
  let isTooLarge = false;
  let exchanged: Exchanged | Refusal;
  try {
    exchanged = await exchange(deps, call, asking, channel, held?.hold ?? null, () => {
      isTooLarge = true;
    });
  } catch (cause) {
    // A bug must not keep money set aside.
    if (held !== null) await release(deps, call, held, 'upstream_failed', true, 500);
    throw cause;
  }
  if (isRefusal(exchanged)) {
    if (held !== null) await release(deps, call, held, 'upstream_failed', false, errorTable[exchanged.refused].status);
    return sendRefusal(call, exchanged);
  }
  return conclude(deps, call, held, channel, exchanged, isTooLarge);
};

/** A call that the relay does not know, passed on as it comes and answered as it is answered. */
const passOn = async (deps: PipelineDeps, req: Request, res: Response, method: Method, address: PassedAddress): Promise<void> => {
  const call = newCall(deps, req, res, PASS_THROUGH, answersOf(address.provider));
  const span = startCallSpan(deps.tracer, call);
  await around(deps, call, async () => {
    if (!deps.inFlight.admitting) return sendRefusal(call, refuse('shutting_down', undefined, { retryAfterSeconds: 1 }));
    const caller = await authenticate(deps, call, 'pass_through', 'spend');
    if (isRefusal(caller)) return sendRefusal(call, caller);
    const limited = await deps.limiter.enter(caller);
    if (limited !== null) return sendRefusal(call, limited);
    call.room = new CallRoom(deps.bodies);
    deps.inFlight.add(call);
    res.on('close', () => {
      if (!res.writableFinished) call.interrupt('client_left');
    });
    if (res.closed) call.interrupt('client_left');
    res.on('error', () => undefined);
    try {
      await run(deps, call, caller, method, address);
    } finally {
      giveBack(deps, call, caller);
    }
  });
  span?.end(call.errorCode === null ? 'answered' : 'refused', res.headersSent ? res.statusCode : null);
};

/** Answers everything under `/providers/`. */
export const createPassThrough = (deps: PipelineDeps, routes: readonly SpendingRoute[]): ((req: Request, res: Response) => void) => {
  const known = new Map(routes.map((route) => [route.name, route]));
  const refused = (req: Request, res: Response, dialect: AnswerDialect, refusal: Refusal): void => {
    const call = newCall(deps, req, res, PASS_THROUGH, dialect);
    void around(deps, call, () => sendRefusal(call, refusal));
  };
  return (req, res) => {
    const address = passedAddress(req.url);
    if (isRefusal(address)) return refused(req, res, openaiAnswers, address);
    const method = methodOf(req);
    if (method === undefined) return refused(req, res, answersOf(address.provider), refuse('method_not_allowed'));
    const route = knownAddress(address, req, known);
    if (route === null) return void passOn(deps, req, res, method, address);
    const given = req.headers[CHANNEL_HEADER];
    const wanted = typeof given === 'string' ? given : null;
    const directory = onlyOpened(deps.directory, address.provider.id, wanted);
    void relayCall({ ...deps, directory }, { ...route, name: PASS_THROUGH, bars: (caller) => mayName(caller, wanted) }, req, res);
  };
};
