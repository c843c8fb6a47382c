import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { applyHeaderRules } from '../../../domain/channel/header-rules.ts';
import { ceilDivide, costOf } from '../../../domain/pricing/cost.ts';
import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { askedToWait } from '../../../domain/relay/backoff.ts';
import type { Provider } from '../../../domain/providers/provider.ts';
import { errorTable, isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Attempt, ChargeBasis, ReleaseReason } from '../../../schemas/events/lease.ts';
import type { AttemptId } from '../../../schemas/ids.ts';
import { LARGEST_AMOUNT, type Money } from '../../../schemas/money.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { DirectoryChannel } from '../../ports/directory.ts';
import type { Hold } from '../../ports/spending.ts';
import type { UpstreamRequest } from '../../ports/upstream.ts';
import { sendRefusal } from '../answer.ts';
import { asItComes } from '../as-it-comes.ts';
import { authenticate, presentedKey } from '../authenticate.ts';
import type { Call, Caller } from '../call.ts';
import type { AnswerDialect } from '../dialects/answer-dialect.ts';
import { anthropicAnswers } from '../dialects/anthropic-answers.ts';
import { geminiAnswers } from '../dialects/gemini-answers.ts';
import { openaiAnswers } from '../dialects/openai-answers.ts';
import { CLIENT_LEFT, elapsed } from '../held-call.ts';
import { splice } from '../json-spans.ts';
import { IDEMPOTENCY_KEY, type Claim } from '../kept-answers.ts';
import { limitHeaders } from '../limits/limit-headers.ts';
import { readBody } from '../read-body.ts';
import { around, newCall, relayCall, type PipelineDeps } from '../relay-call.ts';
import type { SpendingRoute } from '../spending-route.ts';
import { startAttemptSpan, startCallSpan } from '../trace.ts';
import { addressOf, mappedBy } from '../upstream-address.ts';
import { addCredential } from '../upstreams/credential-headers.ts';
import { knownAddress } from './known-address.ts';
import { CHANNEL_HEADER, mayName, onlyOpened, opened, openedTo, pick } from './open-channels.ts';
import { behindVersion, passedAddress, upstreamPath, type PassedAddress } from './passed-address.ts';
import { forwardedHeaders } from './passed-headers.ts';
import { costsNothing, isKeptThere, namedModel, passedJson, priceOf, type NamedModel, type PassedPrice } from './passed-price.ts';
import { Passing, type Passed } from './passing.ts';

/** In metrics and logs. */
export const PASS_THROUGH = '/providers/{provider}/{address}';

const answersOf = ({ dialect }: Provider): AnswerDialect =>
  dialect === 'anthropic' ? anthropicAnswers : dialect === 'gemini' ? geminiAnswers : openaiAnswers;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
type Method = (typeof METHODS)[number];
const methodOf = ({ method }: Request): Method | undefined => METHODS.find((each) => each === method);

/** Asks for nothing to be made. */
const isFree = (method: Method, rest: string): boolean =>
  method === 'GET' || method === 'HEAD' || method === 'DELETE' || (method === 'POST' && costsNothing(rest));

const LISTS = /^models(?:\/[^:]*)?$/;

/** Whether a channel that is open to calls only is open to this. */
const isOfCalls = (method: Method, rest: string, price: PassedPrice | null): boolean => {
  if (method === 'GET' || method === 'HEAD') return LISTS.test(behindVersion(rest));
  if (method !== 'POST' || isKeptThere(rest)) return false;
  return price === null ? !/cancel$/.test(rest) : price.byUsage;
};

const JSON_BODY = /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i;

interface Asking {
  readonly method: Method;
  readonly address: PassedAddress;
  readonly named: NamedModel | null;
  /** `null`: it costs nothing. */
  readonly price: PassedPrice | null;
  /** `null`: there is none, or it comes by itself. */
  readonly body: Buffer | null;
}

/** The request as the channel's upstream is sent it. */
const requestFor = (
  deps: PipelineDeps,
  call: Call,
  { method, address, named, body }: Asking,
  channel: DirectoryChannel,
  credential: string | null,
  stream: Readable | null,
): UpstreamRequest | null => {
  const { provider, query } = address;
  const { settings } = channel;
  const base = addressOf(settings, deps.sandboxUrl());
  if (base === null) return null;
  const upstreamModel = named === null ? null : (mappedBy(settings, named.name)?.upstreamModel ?? named.name);
  let { rest } = address;
  let sent = body;
  if (named !== null && upstreamModel !== null && upstreamModel !== named.name) {
    if (named.inAddress !== null)
      rest = rest.slice(0, named.inAddress[0]) + encodeURIComponent(upstreamModel) + rest.slice(named.inAddress[1]);
    else if (named.span !== null && body !== null) sent = splice(body, [{ ...named.span, text: JSON.stringify(upstreamModel) }]);
  }
  const headers = forwardedHeaders(call.req.headers, provider, presentedKey(call.req) ?? '');
  headers['user-agent'] ??= 'oblivious';
  const { 'content-length': length } = call.req.headers;
  if (stream !== null && length !== undefined) headers['content-length'] = length;
  if (settings.headerRules !== undefined) applyHeaderRules(headers, settings.headerRules, call.req.headers);
  const signing = credential === null ? null : addCredential(headers, provider.auth, credential);
  return {
    origin: base.origin,
    path: upstreamPath(base, rest, query),
    method,
    headers,
    body: stream ?? sent,
    trusted: provider.internal === true,
    wantsHeaders: true,
    ...(settings.proxy === undefined ? {} : { proxy: settings.proxy }),
    ...(signing === null ? {} : { signing }),
  };
};

type Outcome = Attempt['outcome'];

interface Exchanged {
  readonly passed: Passed;
  readonly attemptId: AttemptId;
}

/** Asks one channel, once: nobody here can tell whether what is asked may be asked twice. */
const exchange = async (
  deps: PipelineDeps,
  call: Call,
  asking: Asking,
  channel: DirectoryChannel,
  hold: Hold | null,
  isTooLarge: () => void,
): Promise<Exchanged | Refusal> => {
  const { states, stopwatch, limits } = deps;
  const model = asking.price?.model ?? '';
  const picked = states.nextKey(channel, null, null, deps.random());
  if (!picked.usable) return refuse('no_channel', undefined, { retryAfterSeconds: states.secondsUntilReady([channel]) });
  const { key } = picked;
  const comes = asking.body === null && asking.method !== 'GET' && asking.method !== 'HEAD' && asking.method !== 'DELETE';
  const stream = comes ? asItComes(call.req, limits.uploadBytes, isTooLarge) : null;
  const request = requestFor(deps, call, asking, channel, key === null ? null : deps.channelSecrets.open(key), stream);
  if (request === null) return refuse('no_channel');

  const attemptId = deps.ids.next('att') as AttemptId;
  call.channelId = channel.channelId;
  if (asking.price !== null) call.upstreamModel = mappedBy(channel.settings, model)?.upstreamModel ?? model;
  const begun = stopwatch.elapsed();
  const span = startAttemptSpan(deps.tracer, call, channel.channelId, call.upstreamModel ?? '');
  const { times } = channel.settings;
  states.attempted(channel, model);
  const passed = await new Promise<Passed>((resolve) =>
    new Passing(
      deps,
      call,
      {
        recorded: hold === null ? null : hold.durable,
        model: call.upstreamModel ?? '',
        withinMs: times?.answerSeconds === undefined ? limits.answerMs : times.answerSeconds * 1_000,
        headers: ['x-oblivious-channel', channel.channelId],
        // Where a client is sent to another place, or told of a credential that is not its own, it has no use for it.
        mayPass: (status) => status !== 401 && status !== 402 && (status < 300 || status >= 400 || status === 304),
      },
      resolve,
    ).begin((listener) => deps.upstream.send(request, listener)),
  );
  stream?.destroy();

  const status = 'status' in passed ? passed.status : null;
  const outcome: Outcome =
    passed.kind === 'unanswered'
      ? passed.why === 'timed_out'
        ? 'timed_out'
        : passed.why === 'interrupted' || passed.why === 'not_recorded'
          ? 'aborted'
          : 'failed'
      : passed.kind === 'broken'
        ? call.interrupted === null
          ? 'failed'
          : 'aborted'
        : passed.kind === 'judged' || (status ?? 200) >= 400
          ? 'refused'
          : 'answered';
  const durationMs = Math.round(stopwatch.elapsed() - begun);
  call.attempts.push({ attemptId, channelId: channel.channelId, channelKeyId: key?.keyId ?? null, outcome, status, durationMs });
  states.ended(channel);
  deps.metrics.attemptFinished(channel.channelId, outcome, durationMs);
  span?.end(outcome, status);

  if (outcome === 'failed' || outcome === 'timed_out') states.failed(channel, model, 'silence', 'it did not answer to its end');
  else if (status === 401) states.keyRefused(channel, key, 'the upstream answered 401');
  else if (status === 402) states.keySpent(channel, key);
  else if (status === 429 && passed.kind !== 'judged') states.keyLimited(channel, key, askedToWait(undefined, undefined, deps.clock.now()));
  else if (outcome === 'answered') states.succeeded(channel, model, key, durationMs);
  return { passed, attemptId };
};

interface Settled {
  readonly hold: Hold;
  readonly price: PassedPrice;
  readonly claim: Claim | null;
}

const release = async (
  deps: PipelineDeps,
  call: Call,
  { hold, claim }: Settled,
  reason: ReleaseReason,
  reconcile: boolean,
  status: number,
): Promise<void> => {
  const refusal = await deps.spending.release(hold, { reason, reconcile, call: call.facts('pass_through', status, elapsed(deps, call)) });
  if (refusal !== null) call.detail = `the release was not recorded: ${refusal.refused}`;
  claim?.open();
};

/** What a call came to. What was to be charged by its answer, and whose answer does not say, is charged what was held. */
const measure = (
  { hold, price: { price, groupRatio, byUsage } }: Settled,
  costRatio: DirectoryChannel['settings']['costRatio'],
  reading: UsageReading,
): { readonly usage: Usage; readonly basis: ChargeBasis; readonly computed: Money; readonly upstreamCost: Money } => {
  const perCall: Usage = price.rates.call === undefined ? {} : { call: 1 };
  const usage: Usage | null = !byUsage ? perCall : reading.kind === 'reported' ? { ...reading.usage, ...perCall } : null;
  if (usage !== null) {
    const computed = costOf(usage, price, groupRatio);
    const upstreamCost = costOf(usage, price, costRatio);
    if (computed <= LARGEST_AMOUNT && upstreamCost <= LARGEST_AMOUNT) return { usage, basis: 'reported', computed, upstreamCost };
  }
  const upstreamCost = groupRatio === 0 ? 0n : ceilDivide(hold.amount * BigInt(costRatio), BigInt(groupRatio));
  return { usage: {}, basis: 'held', computed: hold.amount, upstreamCost: upstreamCost as Money };
};

const charge = async (
  deps: PipelineDeps,
  call: Call,
  settled: Settled,
  channel: DirectoryChannel,
  attemptId: AttemptId,
  { status, reading }: { readonly status: number; readonly reading: UsageReading },
): Promise<Refusal | null> => {
  const { hold, price, claim } = settled;
  const { usage, basis, computed, upstreamCost } = measure(settled, channel.settings.costRatio, reading);
  const charged = await deps.spending.charge(hold, {
    channelId: channel.channelId,
    attemptId,
    priceListId: price.priceListId,
    groupRatio: price.groupRatio,
    usage,
    basis,
    computed,
    upstreamCost,
    call: call.facts('pass_through', call.clientGone ? CLIENT_LEFT : status, elapsed(deps, call)),
  });
  claim?.spent();
  if (isRefusal(charged)) return charged;
  call.usage = usage;
  call.basis = basis;
  call.cost = charged.amount;
  deps.metrics.charged(price.model, basis, charged.amount);
  return null;
};

const REFUSALS = {
  timed_out: 'upstream_timed_out',
  blocked: 'upstream_failed',
  unreachable: 'upstream_failed',
  broken: 'upstream_failed',
} as const;

/** The end of a call, from what became of its exchange. */
const conclude = async (
  deps: PipelineDeps,
  call: Call,
  settled: Settled | null,
  channel: DirectoryChannel,
  { passed, attemptId }: Exchanged,
  isTooLarge: boolean,
): Promise<void> => {
  const { res } = call;
  if (passed.kind === 'unanswered') {
    if (passed.why === 'not_recorded') {
      settled?.claim?.open();
      return sendRefusal(call, passed.refusal ?? refuse('log_unavailable'));
    }
    const left = call.interrupted === 'client_left';
    const refusal =
      passed.why === 'interrupted'
        ? refuse('shutting_down')
        : isTooLarge
          ? refuse('body_too_large', `The body is larger than the ${deps.limits.uploadBytes} bytes that are taken here.`)
          : refuse(REFUSALS[passed.why]);
    if (settled !== null) {
      const reason = left ? 'client_left' : passed.why === 'interrupted' ? 'shutdown' : isTooLarge ? 'refused' : 'upstream_failed';
      const reconcile = passed.why !== 'blocked' && passed.why !== 'unreachable' && !isTooLarge;
      await release(deps, call, settled, reason, reconcile, left ? CLIENT_LEFT : errorTable[refusal.refused].status);
    }
    return left ? void res.destroy() : sendRefusal(call, refusal);
  }
  if (passed.kind === 'judged') {
    if (settled !== null) await release(deps, call, settled, 'refused', false, 502);
    call.detail = `the upstream answered ${passed.status}`;
    return sendRefusal(call, refuse('upstream_refused'));
  }
  if (settled !== null) {
    if (passed.status >= 400) await release(deps, call, settled, 'refused', false, passed.status);
    else {
      const refused = await charge(deps, call, settled, channel, attemptId, passed);
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

/** The body of a call that makes something, held where anything depends on what is in it. `null`: it comes by itself. `left`: the client did. */
const receive = async (deps: PipelineDeps, { req }: Call, { provider }: PassedAddress): Promise<Buffer | Refusal | 'left' | null> => {
  const isJson = JSON_BODY.test(req.headers['content-type'] ?? '');
  const hasNone =
    req.headers['content-length'] === '0' || (req.headers['content-length'] ?? req.headers['transfer-encoding']) === undefined;
  if (hasNone) return Buffer.alloc(0);
  const isHeld = isJson || provider.auth.kind === 'aws' || req.headers['idempotency-key'] !== undefined;
  if (!isHeld) {
    const encoding = req.headers['content-encoding'];
    return encoding === undefined || encoding === 'identity' ? null : refuse('unsupported_media_type', 'Only JSON can be sent packed.');
  }
  return (await readBody(req, deps.limits.bodyBytes, isJson ? 'json' : 'any')) ?? 'left';
};

const run = async (deps: PipelineDeps, call: Call, caller: Caller, method: Method, address: PassedAddress): Promise<void> => {
  const { provider, rest } = address;
  const { directory, limits } = deps;
  const given = call.req.headers[CHANNEL_HEADER];
  const wanted = typeof given === 'string' ? given : null;
  const barred = mayName(caller, wanted);
  if (barred !== null) return sendRefusal(call, barred);
  const open = openedTo(caller, opened(directory, provider.id, wanted));
  if (open.length === 0)
    return sendRefusal(call, refuse('not_found', `No channel of ${provider.name} is open here to that provider’s own addresses.`));

  const free = isFree(method, rest);
  let body: Buffer | null = null;
  let named: NamedModel | null = null;
  let price: PassedPrice | null = null;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'DELETE') {
    const received = await receive(deps, call, address);
    if (received === 'left') return;
    if (isRefusal(received)) return sendRefusal(call, received);
    body = received;
    const json =
      body !== null && body.length > 0 && JSON_BODY.test(call.req.headers['content-type'] ?? '') ? passedJson(body, limits) : null;
    if (isRefusal(json)) return sendRefusal(call, json);
    const found = namedModel(rest, json);
    if (isRefusal(found)) return sendRefusal(call, found);
    named = found;
    if (!free) {
      const served = named !== null && open.some(({ settings }) => mappedBy(settings, named?.name ?? '') !== null) ? named.name : null;
      const asked = priceOf(directory, caller, provider.id, rest, served, body, json);
      if (isRefusal(asked)) return sendRefusal(call, asked);
      price = asked;
    }
  }
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

  let settled: Settled | null = null;
  if (price !== null) {
    const held = await hold(deps, call, caller, price, body);
    if (isRefusal(held)) return sendRefusal(call, held);
    settled = held;
  }
  if (call.clientGone) {
    if (settled !== null) await release(deps, call, settled, 'client_left', false, CLIENT_LEFT);
    return void call.res.destroy();
  }
  let isTooLarge = false;
  let exchanged: Exchanged | Refusal;
  try {
    exchanged = await exchange(deps, call, { method, address, named, price, body }, channel, settled?.hold ?? null, () => {
      isTooLarge = true;
    });
  } catch (cause) {
    // A bug must not keep money set aside.
    if (settled !== null) await release(deps, call, settled, 'upstream_failed', true, 500);
    throw cause;
  }
  if (isRefusal(exchanged)) {
    if (settled !== null) await release(deps, call, settled, 'upstream_failed', false, errorTable[exchanged.refused].status);
    return sendRefusal(call, exchanged);
  }
  return conclude(deps, call, settled, channel, exchanged, isTooLarge);
};

/** Sets a call's worst case aside, and takes its `Idempotency-Key` for it. */
const hold = async (
  deps: PipelineDeps,
  call: Call,
  caller: Caller,
  price: PassedPrice,
  body: Buffer | null,
): Promise<Settled | Refusal> => {
  const key = call.req.headers['idempotency-key'];
  if (key !== undefined && (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)))
    return refuse('invalid_request', 'An Idempotency-Key has 1 to 255 printable characters without spaces.');
  const reserved = await deps.spending.reserve({
    requestId: call.requestId,
    userId: caller.user.userId,
    tokenId: caller.token.tokenId,
    model: price.model,
    priceListId: price.priceListId,
    amount: price.amount,
    least: price.amount,
  });
  if (isRefusal(reserved)) return reserved;
  const held: Settled = { hold: reserved, price, claim: null };
  if (key === undefined) return held;
  const hash = createHash('sha256')
    .update(`pass-through ${call.req.method} ${call.req.url}\n`)
    .update(body ?? '')
    .digest('hex');
  const claim = await deps.kept.claim(caller.token.tokenId, key, hash, call.requestId);
  if (!isRefusal(claim)) return { ...held, claim };
  await release(deps, call, held, 'refused', false, errorTable[claim.refused].status);
  return claim;
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
    deps.inFlight.add(call);
    res.on('close', () => {
      if (!res.writableFinished) call.interrupt('client_left');
    });
    if (res.closed) call.interrupt('client_left');
    res.on('error', () => undefined);
    try {
      await run(deps, call, caller, method, address);
    } finally {
      deps.limiter.leave(caller);
      if (call.pass !== null) deps.gate.leave(call.pass, call.usage, call.cost);
      deps.inFlight.delete(call);
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
