import type { Readable } from 'node:stream';
import { applyHeaderRules } from '../../domain/channel/header-rules.ts';
import { askedToWait, backoff } from '../../domain/relay/backoff.ts';
import { chooseChannel } from '../../domain/relay/choose-channel.ts';
import { DEFAULT_DISABLE_RULES, disabledBy } from '../../domain/relay/disable-rules.ts';
import { earn, spendRetry } from '../../domain/relay/retry-budget.ts';
import { judgeUpstream, type UpstreamVerdict } from '../../domain/relay/upstream-verdict.ts';
import type { Provider } from '../../domain/providers/provider.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import { isRefusal, refuse, type ErrorCode, type Refusal } from '../../schemas/errors.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import type { DisableRule } from '../../schemas/events/channel-rules.ts';
import type { Attempt } from '../../schemas/events/lease.ts';
import type { AttemptId } from '../../schemas/ids.ts';
import { ErrorBody } from '../../schemas/openai/error-body.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { z } from 'zod';
import type { DirectoryChannel, DirectoryChannelKey } from '../ports/directory.ts';
import type { UpstreamHeaders, UpstreamRequest } from '../ports/upstream.ts';
import { affinityOf, capabilitiesOf } from './call-needs.ts';
import { CallRouting } from './call-routing.ts';
import type { Call, Interruptible, Interruption } from './call.ts';
import { prompted, rewrites, ruled } from './channel-rewriting.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import type { FailureKind } from './channel-states.ts';
import { scanObject, type Span } from './json-spans.ts';
import { Opening, type Opened, type StreamSource } from './opening.ts';
import type { AnswerForm } from './endpoints/endpoint.ts';
import { rulesOf as endpointRules } from './endpoints/endpoints.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import type { RelayLimits } from './relay-limits.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { Route } from './route.ts';
import type { NativeForm } from './native/native-form.ts';
import { startAttemptSpan } from './trace.ts';
import { readUsageAt } from './read-usage.ts';
import { addressOf, mappedBy } from './upstream-address.ts';
import { addCredential } from './upstreams/credential-headers.ts';
import type { Ask, Asked } from './upstreams/upstream-dialect.ts';
import { speaksResponses } from './upstreams/responses-upstream.ts';
import { askUpstream } from './upstreams/upstream-dialects.ts';
import type { Upload } from './upload.ts';
import type { Watch } from './watch.ts';

export interface AttemptDeps extends RelayDeps {
  readonly watch: Watch;
  readonly channelSecrets: ChannelSecrets;
  /** Retries that this process may still make, shared by all calls. */
  readonly retries: { saved: number };
}

/** Who answers, and on which attempt. */
export interface Served {
  readonly channel: DirectoryChannel;
  readonly attemptId: AttemptId;
  readonly upstreamModel: string;
  /** It has begun to answer. */
  readonly answered: () => void;
  readonly finish: (outcome: z.infer<typeof Attempt>['outcome']) => void;
}

export type Attempted =
  /** `native`: it is in the client's own dialect; `null`: in the hub's form. */
  | {
      readonly kind: 'plain';
      readonly served: Served;
      readonly contentType: string;
      readonly body: Buffer;
      readonly scanned: ScannedAnswer;
      readonly native: NativeForm | null;
    }
  | {
      readonly kind: 'stream';
      readonly served: Served;
      readonly contentType: string;
      readonly source: StreamSource;
      readonly native: NativeForm | null;
    }
  /** The upstream's own words on a fault of the caller's. */
  | {
      readonly kind: 'passed';
      readonly status: number;
      readonly headers: UpstreamHeaders;
      readonly body: Buffer;
      readonly native: NativeForm | null;
    }
  /** Nobody answered. `billed`: an upstream may charge us for it all the same. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly billed: boolean }
  | { readonly kind: 'interrupted'; readonly billed: boolean };

/** Where the members of an answer are that we must read. */
export interface ScannedAnswer {
  readonly usage: Span | null;
  readonly model: Span | null;
}

const JSON_TYPE = 'application/json';
const OCTETS = 'application/octet-stream';
const NOTHING_SCANNED: ScannedAnswer = { usage: null, model: null };

interface BodyFault {
  readonly fault: 'upstream_garbled' | 'upstream_failed';
  readonly why: string;
  readonly usage: Usage | null;
}

const isNull = (body: Buffer, { start }: Span): boolean => body[start] === 0x6e;

const HUB_MEMBERS: NativeForm['members'] = { usage: 'usage', model: 'model' };

/** What is in a whole body that came with a status of success, or what is wrong with it. */
const scanAnswer = (body: Buffer, streamed: boolean, native: NativeForm | null): ScannedAnswer | BodyFault => {
  const names = native === null ? HUB_MEMBERS : native.members;
  const { closed, spans } = scanObject(body, [names.usage, 'error', names.model]);
  const [usage = null, error = null, model = null] = spans;
  if (!closed) return { fault: 'upstream_garbled', why: 'the answer is not a JSON object', usage: null };
  const failed = error !== null && !isNull(body, error);
  if (!failed && !streamed) return { usage, model };
  const reading = native === null ? readUsageAt(body, usage, 'chat') : native.reading(body, usage);
  const billed = reading.kind === 'reported' ? reading.usage : null;
  return failed
    ? { fault: 'upstream_failed', why: 'an error came with a status of success', usage: billed }
    : { fault: 'upstream_garbled', why: 'a plain answer came where a stream was asked for', usage: billed };
};

const errorOf = (body: Buffer): { readonly code: string | null; readonly type: string | null } => {
  try {
    const parsed = ErrorBody.safeParse(JSON.parse(body.toString('utf8')));
    if (!parsed.success) return { code: null, type: null };
    const { code, type } = parsed.data.error;
    return { code: code === null || code === undefined ? null : String(code), type: type ?? null };
  } catch {
    return { code: null, type: null };
  }
};

const NO_ERROR = { code: null, type: null } as const;

/** How much of an error is read for what a rule looks for. */
const ERROR_TEXT_BYTES = 8 * 1024;

const rulesOf = ({ settings }: DirectoryChannel): readonly DisableRule[] => settings.disableRules ?? DEFAULT_DISABLE_RULES;

const reasonOf = (status: number, code: string | null): string =>
  `the upstream answered ${status}${code === null ? '' : ` (${code.slice(0, 64)})`}`;

/** One call's tries: what has failed, and what that says to the client in the end. */
class Tries {
  count = 0;
  billed = false;
  last: { readonly code: ErrorCode; readonly waitMs: number | null } | null = null;
  onlyLimited = true;

  fail(code: ErrorCode, waitMs: number | null = null): void {
    this.last = { code, waitMs };
    if (code !== 'upstream_rate_limited') this.onlyLimited = false;
  }
}

/** A request as this dialect is asked: in its client's own format where that is the dialect's too, else in the hub's; or what of it cannot be said there. */
const formFor = (
  parsed: ParsedRequest,
  { dialect, takesExtras }: Provider,
  ruledBy: ChannelSettings | null,
  limits: RelayLimits,
): Pick<Ask, 'parsed' | 'native'> | Refusal => {
  const native = parsed.endpoint === 'chat' ? parsed.native : null;
  // A channel's own text is put into the hub's form.
  const hasText = ruledBy !== null && ruledBy.systemPrompt !== undefined;
  if (native !== null && native.request.dialect === dialect && !hasText) return { parsed, native: native.request };
  const hub = native === null ? parsed : native.hub(takesExtras === true);
  if (isRefusal(hub)) return hub;
  return { parsed: hasText ? prompted(hub, ruledBy, limits) : hub, native: null };
};

const sleep = (ms: number, call: Call): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    call.running = {
      interrupt: () => {
        clearTimeout(timer);
        resolve();
      },
    };
  });

/** The body of an upload with its length, where that is known. */
const uploaded = (headers: Record<string, string>, upload: Upload, head: Buffer): Buffer | Readable => {
  if (!upload.whole && upload.length !== null) headers['content-length'] = String(upload.length - upload.head.length + head.length);
  return upload.body(head);
};

const requestFor = (
  deps: AttemptDeps,
  call: Call,
  { provider, parsed }: Ask,
  asked: Asked,
  channel: DirectoryChannel,
  key: DirectoryChannelKey | null,
  attemptId: AttemptId,
): UpstreamRequest | null => {
  const address = addressOf(channel.settings, deps.sandboxUrl());
  if (address === null) return null;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: call.streamed ? 'text/event-stream' : 'application/json',
    'user-agent': 'oblivious',
    // Names the attempt on the upstream's side too, for whoever compares bills.
    'x-client-request-id': attemptId,
    ...asked.headers,
  };
  const { headerRules } = channel.settings;
  if (headerRules !== undefined) applyHeaderRules(headers, headerRules, call.req.headers);
  const signing = key === null ? null : addCredential(headers, provider.auth, deps.channelSecrets.open(key));
  return {
    origin: address.origin,
    path: address.path + asked.path,
    method: 'POST',
    headers,
    body: 'upload' in parsed ? uploaded(headers, parsed.upload, asked.body) : asked.body,
    trusted: provider.internal === true,
    ...(channel.settings.proxy === undefined ? {} : { proxy: channel.settings.proxy }),
    ...(signing === null ? {} : { signing }),
  };
};

/** One exchange with an upstream, from the moment it was sent. */
interface Flight {
  readonly opening: Opening;
  readonly opened: Promise<Opened>;
  readonly served: Served;
  /** How its answer is read that goes to the client as it comes; `null`: it is told in the hub's form. */
  readonly native: NativeForm | null;
  readonly key: DirectoryChannelKey | null;
  readonly record: (outcome: z.infer<typeof Attempt>['outcome'], status: number | null, usage?: Usage) => void;
}

const open = (
  deps: AttemptDeps,
  call: Call,
  answers: AnswerForm,
  request: UpstreamRequest,
  { interpreter }: Asked,
  withinMs: number,
): Pick<Flight, 'opening' | 'opened'> => {
  const { limits } = deps;
  let settle: (opened: Opened) => void = () => undefined;
  const opened = new Promise<Opened>((resolve) => {
    settle = resolve;
  });
  const opening = new Opening(
    {
      answers,
      streamed: call.streamed,
      begun: deps.stopwatch.elapsed(),
      withinMs,
      heartbeatMs: limits.heartbeatMs,
      answerBytes: limits.answerBytes,
      eventBytes: limits.eventBytes,
    },
    (result) => {
      deps.watch.remove(opening);
      settle(result);
    },
  );
  deps.watch.add(opening);
  call.running = opening;
  if (interpreter === null) opening.begin(deps.upstream.send(request, opening));
  else {
    const interpreting = interpreter(opening);
    const exchange = deps.upstream.send(request, interpreting);
    interpreting.begin(exchange);
    opening.begin(exchange);
  }
  return { opening, opened };
};

/** What one opened exchange means: an end of the tries (an {@link Attempted}), or `null`: another may be tried. */
const judge = (
  deps: AttemptDeps,
  call: Call,
  answers: AnswerForm,
  opened: Opened,
  { served, key, native, record }: Flight,
  tries: Tries,
  routing: CallRouting,
  model: string,
): Attempted | null => {
  const { states } = deps;
  const { channel } = served;
  const failChannel = (code: ErrorCode, why: string, kind: FailureKind = 'answer', waitMs: number | null = null): null => {
    routing.passOver(channel.channelId);
    tries.fail(code, waitMs);
    states.failed(channel, model, kind, why);
    call.detail = why;
    return null;
  };
  switch (opened.kind) {
    case 'interrupted':
      record('aborted', null);
      return { kind: 'interrupted', billed: true };
    case 'timed_out':
      record('timed_out', null);
      tries.billed = true;
      return failChannel('upstream_timed_out', 'it did not answer in time', 'silence');
    case 'fault':
      record('failed', null);
      if (opened.fault.kind === 'broken') tries.billed = true;
      return failChannel('upstream_failed', opened.fault.message, 'silence');
    case 'garbled':
      record('failed', 200);
      tries.billed = true;
      return failChannel('upstream_garbled', opened.why);
    case 'error_event':
      record('failed', 200);
      return failChannel('upstream_failed', 'an error came as the first event of a stream');
    case 'stream':
      states.answering(channel, model);
      return { kind: 'stream', served, contentType: opened.headers['content-type'] ?? OCTETS, source: opened.source, native };
    case 'body':
      break;
  }
  const { body } = opened;
  const said = native?.statusOf(opened.status, body) ?? opened.status;
  const headers = native === null ? opened.headers : { ...opened.headers, ...native.headersOf(said, body) };
  const status = channel.settings.statusMap?.find(({ from }) => from === said)?.to ?? said;
  const answered = status === 200 || status === 201;
  const { code, type } = answered ? NO_ERROR : errorOf(native === null ? body : native.hubError(said, body));
  const waitMs = askedToWait(headers['retry-after-ms'], headers['retry-after'], deps.clock.now());
  const disabled = answered ? null : disabledBy(rulesOf(channel), { status, code, type, text: body.toString('utf8', 0, ERROR_TEXT_BYTES) });
  const verdict: UpstreamVerdict =
    disabled === 'channel' ? 'channel_unfit' : disabled === 'key' && key !== null ? 'key_refused' : judgeUpstream(status, code, type);
  switch (verdict) {
    case 'answer': {
      const contentType = headers['content-type'] ?? JSON_TYPE;
      const isOther = answers === 'told' && !contentType.toLowerCase().startsWith(JSON_TYPE);
      const scanned = isOther ? NOTHING_SCANNED : scanAnswer(body, call.streamed && answers !== 'told', native);
      if (!('fault' in scanned)) return { kind: 'plain', served, contentType: isOther ? contentType : JSON_TYPE, body, scanned, native };
      record('failed', status, scanned.usage ?? undefined);
      tries.billed = scanned.fault === 'upstream_garbled' || scanned.usage !== null || tries.billed;
      return failChannel(scanned.fault, scanned.why);
    }
    case 'callers_fault':
      record('refused', status);
      states.succeeded(channel, model, key, 0);
      return { kind: 'passed', status, headers, body, native };
    case 'key_refused':
      record('refused', status);
      states.keyRefused(channel, key, reasonOf(status, code));
      break;
    case 'key_spent':
      record('refused', status);
      states.keySpent(channel, key);
      break;
    case 'rate_limited':
      record('refused', status);
      states.keyLimited(channel, key, waitMs);
      tries.fail('upstream_rate_limited', waitMs);
      break;
    case 'channel_unfit':
      record('refused', status);
      routing.passOver(channel.channelId);
      if (disabled === 'channel') states.channelRefused(channel, reasonOf(status, code));
      break;
    case 'channel_failed':
      record('failed', status);
      return failChannel('upstream_failed', `the upstream answered ${status}`, 'answer', waitMs);
  }
  call.detail = reasonOf(status, code);
  if (verdict !== 'rate_limited') tries.fail('upstream_refused');
  // A channel that was called without a key has no other to offer.
  if (key === null) routing.passOver(channel.channelId);
  else routing.passOverKey(key.keyId);
  return null;
};

const finalRefusal = (deps: AttemptDeps, route: Route, tries: Tries): Refusal => {
  const retryAfterSeconds = (waitMs: number | null): number =>
    waitMs === null ? deps.states.secondsUntilReady(route.channels) : Math.max(1, Math.ceil(waitMs / 1_000));
  if (tries.last === null) return refuse('no_channel', undefined, { retryAfterSeconds: retryAfterSeconds(null) });
  const { code, waitMs } = tries.last;
  if (code === 'upstream_rate_limited' && tries.onlyLimited)
    return refuse('upstream_rate_limited', undefined, { retryAfterSeconds: retryAfterSeconds(waitMs) });
  return code === 'upstream_rate_limited' ? refuse('upstream_failed') : refuse(code);
};

/** Both exchanges of a call that is hedged end with it. */
const both = (one: Interruptible, other: Interruptible): Interruptible => ({
  interrupt: (why: Interruption) => {
    one.interrupt(why);
    other.interrupt(why);
  },
});

/** A body in its upstream's form, used again where another key or channel wants the same. */
interface Said {
  /** Whose rules are in it; `null`: nobody's. */
  readonly ruledBy: ChannelSettings | null;
  readonly ask: Ask;
  readonly asked: Asked;
}

/** One call on its way to somebody who answers it. */
class Search {
  readonly #deps: AttemptDeps;
  readonly #call: Call;
  readonly #parsed: ParsedRequest;
  readonly #answers: AnswerForm;
  readonly #upload: Upload | null;
  readonly #route: Route;
  readonly #loweredOutput: number | null;
  readonly #routing: CallRouting;
  readonly #tries = new Tries();
  #said: Said | null = null;
  #unsayable: Refusal | null = null;

  constructor(deps: AttemptDeps, call: Call, parsed: ParsedRequest, route: Route, loweredOutput: number | null) {
    this.#deps = deps;
    this.#call = call;
    this.#parsed = parsed;
    this.#answers = endpointRules(parsed.endpoint).answers;
    this.#upload = 'upload' in parsed ? parsed.upload : null;
    this.#route = route;
    this.#loweredOutput = loweredOutput;
    const { affinity } = route.routing;
    const asks = {
      endpoint: parsed.endpoint,
      affinity: affinity.length === 0 ? null : affinityOf(affinity, call, parsed),
      capabilities: () => capabilitiesOf(parsed),
    };
    this.#routing = new CallRouting(route, asks, deps.states, deps.sandboxUrl());
  }

  async run(): Promise<Attempted> {
    const { limits, stopwatch, retries } = this.#deps;
    const { hedgeMs } = this.#route.routing;
    const tries = this.#tries;
    for (;;) {
      const channel = this.#choose();
      if (channel === null) break;
      if (tries.count > 0) {
        // What is not held any more cannot be said to another.
        if (this.#upload?.repeatable === false) break;
        if (tries.count >= limits.attempts || stopwatch.elapsed() - this.#call.begun >= limits.attemptsMs) break;
        const left = spendRetry(retries.saved);
        if (left === null) break;
        retries.saved = left;
        await sleep(backoff(tries.count - 1, limits.backoff, this.#deps.random()), this.#call);
        // Others may have found out meanwhile that the channel fails too.
        if (this.#routing.hindrance(channel) !== null) continue;
      }
      // Whoever left before anything was asked of an upstream is owed nothing and owes nothing.
      if (this.#call.interrupted !== null || this.#call.clientGone) return { kind: 'interrupted', billed: tries.billed };
      const flight = this.#launch(channel);
      if (flight === null) continue;
      const attempted =
        hedgeMs === null || !this.#call.streamed ? this.#land(flight, await flight.opened) : await this.#hedge(flight, hedgeMs);
      if (attempted !== null) return attempted;
    }
    // What no channel's form can say is the caller's to change; anything else may pass.
    const refusal = tries.last === null && this.#unsayable !== null ? this.#unsayable : finalRefusal(this.#deps, this.#route, tries);
    return { kind: 'refused', refusal, billed: tries.billed };
  }

  #choose(): DirectoryChannel | null {
    this.#routing.random = this.#deps.random();
    return chooseChannel(this.#route.channels, this.#routing);
  }

  /** The call as the channel's upstream is asked it; `null` where it cannot be. */
  #say(channel: DirectoryChannel, upstreamModel: string): Said | null {
    const provider = providerOf(channel.settings.provider);
    if (provider === undefined) return null;
    const said = this.#said;
    const ruledBy = rewrites(channel.settings) ? channel.settings : null;
    const knowsResponses = speaksResponses(channel.settings, provider);
    if (
      said !== null &&
      said.ruledBy === ruledBy &&
      said.ask.upstreamModel === upstreamModel &&
      said.ask.provider === provider &&
      said.ask.speaksResponses === knowsResponses
    )
      return said;
    const form = formFor(this.#parsed, provider, ruledBy, this.#deps.limits);
    if (isRefusal(form)) {
      this.#unsayable = form;
      return null;
    }
    const ask: Ask = {
      ...form,
      clientHeaders: this.#call.req.headers,
      provider,
      speaksResponses: knowsResponses,
      upstreamModel,
      loweredOutput: this.#loweredOutput,
      limits: this.#deps.limits,
      modelLimit: this.#route.price.maxOutputTokens ?? null,
      createdAt: Math.floor(this.#call.startedAt / 1_000),
    };
    const asked = askUpstream(ask);
    if (isRefusal(asked)) {
      this.#unsayable = asked;
      return null;
    }
    const meant = ruledBy === null ? asked : ruled(asked, ruledBy);
    return meant === null ? null : (this.#said = { ruledBy, ask, asked: meant });
  }

  /** Sends the call to the channel; `null` where that cannot be done after all. */
  #launch(channel: DirectoryChannel): Flight | null {
    const { model } = this.#route;
    const deps = this.#deps;
    const call = this.#call;
    const { states, stopwatch } = deps;
    const routing = this.#routing;
    const upstreamModel = mappedBy(channel.settings, model)?.upstreamModel ?? model;
    const said = this.#say(channel, upstreamModel);
    if (said === null) {
      routing.passOver(channel.channelId);
      return null;
    }
    const picked = states.nextKey(channel, routing.triedKeys, routing.affinity, routing.random);
    if (!picked.usable) return null;
    const { key } = picked;
    const attemptId = deps.ids.next('att') as AttemptId;
    const request = requestFor(deps, call, said.ask, said.asked, channel, key, attemptId);
    if (request === null) {
      routing.passOver(channel.channelId);
      return null;
    }
    this.#tries.count++;
    call.channelId = channel.channelId;
    call.upstreamModel = upstreamModel;

    const begun = stopwatch.elapsed();
    const span = startAttemptSpan(deps.tracer, call, channel.channelId, upstreamModel);
    const record: Flight['record'] = (outcome, status, billedUsage) => {
      const durationMs = Math.round(stopwatch.elapsed() - begun);
      const facts = { attemptId, channelId: channel.channelId, channelKeyId: key?.keyId ?? null, outcome, status, durationMs };
      call.attempts.push(billedUsage === undefined ? facts : { ...facts, billedUsage });
      states.ended(channel);
      deps.metrics.attemptFinished(channel.channelId, outcome, durationMs);
      span?.end(outcome, status);
    };
    let answeredMs = 0;
    const finish: Served['finish'] = (outcome) => {
      record(outcome, 200);
      if (outcome === 'answered') states.succeeded(channel, model, key, answeredMs);
      else if (outcome !== 'aborted') states.failed(channel, model, 'answer', 'it broke off in the middle of an answer');
    };
    states.attempted(channel, model);
    const { limits } = deps;
    const { times } = channel.settings;
    const withinMs = call.streamed
      ? times?.firstEventSeconds === undefined
        ? limits.firstEventMs
        : times.firstEventSeconds * 1_000
      : times?.answerSeconds === undefined
        ? limits.answerMs
        : times.answerSeconds * 1_000;
    const { opening, opened } = open(deps, call, this.#answers, request, said.asked, withinMs);
    const answered = (): void => {
      answeredMs = stopwatch.elapsed() - begun;
      states.answeredAfter(channel, answeredMs);
    };
    const native = said.asked.native ?? null;
    return { opening, opened, served: { channel, attemptId, upstreamModel, answered, finish }, key, native, record };
  }

  #land(flight: Flight, opened: Opened): Attempted | null {
    const failure = opened.kind === 'fault' ? (this.#upload?.failure ?? null) : null;
    if (failure !== null) {
      // Nobody is billed for a request that never came to its end, and it is no fault of the upstream's.
      flight.record('aborted', null);
      return failure === 'left' ? { kind: 'interrupted', billed: false } : { kind: 'refused', refusal: failure, billed: false };
    }
    const attempted = judge(this.#deps, this.#call, this.#answers, opened, flight, this.#tries, this.#routing, this.#route.model);
    if (attempted !== null && (attempted.kind === 'plain' || attempted.kind === 'stream')) flight.served.answered();
    return attempted;
  }

  /** Asks a second channel when the first has not begun in time. Whichever begins first serves, and is charged; the other is cut off. */
  async #hedge(first: Flight, hedgeMs: number): Promise<Attempted | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, hedgeMs, null);
    });
    const soon = await Promise.race([first.opened, late]);
    clearTimeout(timer);
    if (soon !== null) return this.#land(first, soon);
    const rival = this.#launchRival(first);
    if (rival === null) return this.#land(first, await first.opened);
    this.#call.running = both(first.opening, rival.opening);

    const landing = (flight: Flight) => flight.opened.then((opened) => ({ flight, opened }));
    const { flight, opened } = await Promise.race([landing(first), landing(rival)]);
    const other = flight === first ? rival : first;
    const attempted = this.#land(flight, opened);
    if (attempted === null) {
      this.#call.running = other.opening;
      this.#carriedBy(other);
      return this.#land(other, await other.opened);
    }
    this.#carriedBy(flight);
    // It has not begun, so nothing of it was seen; that it was asked may still be on somebody's bill, which is why it is on record.
    other.opening.interrupt('shutdown');
    other.opening.abort();
    other.record('aborted', null);
    return attempted;
  }

  #launchRival({ served }: Flight): Flight | null {
    const { limits, retries } = this.#deps;
    if (this.#call.interrupted !== null || this.#tries.count >= limits.attempts) return null;
    this.#routing.passOver(served.channel.channelId);
    const channel = this.#choose();
    if (channel === null) return null;
    const left = spendRetry(retries.saved);
    if (left === null) return null;
    retries.saved = left;
    return this.#launch(channel);
  }

  #carriedBy({ served }: Flight): void {
    this.#call.channelId = served.channel.channelId;
    this.#call.upstreamModel = served.upstreamModel;
  }
}

/**
 * Tries channels until one answers. Only before the first byte to the client: a channel or key that failed is not tried
 * again for this call, waits grow with jitter between tries, and all calls together have a budget of retries.
 */
export const attempt = (
  deps: AttemptDeps,
  call: Call,
  parsed: ParsedRequest,
  route: Route,
  loweredOutput: number | null,
): Promise<Attempted> => {
  deps.retries.saved = earn(deps.retries.saved, deps.limits.retryBudget);
  return new Search(deps, call, parsed, route, loweredOutput).run();
};
