import { askedToWait, backoff } from '../../domain/relay/backoff.ts';
import { chooseChannel } from '../../domain/relay/choose-channel.ts';
import { earn, spendRetry } from '../../domain/relay/retry-budget.ts';
import { judgeUpstream } from '../../domain/relay/upstream-verdict.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import { isRefusal, refuse, type ErrorCode, type Refusal } from '../../schemas/errors.ts';
import type { Attempt } from '../../schemas/events/lease.ts';
import type { AttemptId, ChannelId, ChannelKeyId } from '../../schemas/ids.ts';
import { ErrorBody } from '../../schemas/openai/error-body.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { z } from 'zod';
import type { DirectoryChannel, DirectoryChannelKey } from '../ports/directory.ts';
import type { UpstreamHeaders, UpstreamRequest } from '../ports/upstream.ts';
import type { Call } from './call.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import type { ChannelStates } from './channel-states.ts';
import { scanObject, type Span } from './json-spans.ts';
import { Opening, type Opened, type StreamSource } from './opening.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { Route } from './route.ts';
import { startAttemptSpan } from './trace.ts';
import { readUsageAt } from './read-usage.ts';
import { addressOf, upstreamModelOf } from './upstream-address.ts';
import { addCredential } from './upstreams/credential-headers.ts';
import type { Ask, Asked } from './upstreams/upstream-dialect.ts';
import { UPSTREAM_DIALECTS } from './upstreams/upstream-dialects.ts';
import type { Watch } from './watch.ts';

export interface AttemptDeps extends RelayDeps {
  readonly watch: Watch;
  readonly states: ChannelStates;
  readonly channelSecrets: ChannelSecrets;
  /** Retries that this process may still make, shared by all calls. */
  readonly retries: { saved: number };
}

/** Who answers, and on which attempt. */
export interface Served {
  readonly channel: DirectoryChannel;
  readonly attemptId: AttemptId;
  readonly upstreamModel: string;
  readonly finish: (outcome: z.infer<typeof Attempt>['outcome']) => void;
}

export type Attempted =
  | { readonly kind: 'plain'; readonly served: Served; readonly body: Buffer; readonly scanned: ScannedAnswer }
  | { readonly kind: 'stream'; readonly served: Served; readonly source: StreamSource }
  /** The upstream's own words on a fault of the caller's. */
  | { readonly kind: 'passed'; readonly status: number; readonly headers: UpstreamHeaders; readonly body: Buffer }
  /** Nobody answered. `billed`: an upstream may charge us for it all the same. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly billed: boolean }
  | { readonly kind: 'interrupted'; readonly billed: boolean };

/** Where the members of an answer are that we must read. */
export interface ScannedAnswer {
  readonly usage: Span | null;
  readonly model: Span | null;
}

interface BodyFault {
  readonly fault: 'upstream_garbled' | 'upstream_failed';
  readonly why: string;
  readonly usage: Usage | null;
}

const isNull = (body: Buffer, { start }: Span): boolean => body[start] === 0x6e;

/** What is in a whole body that came with a status of success, or what is wrong with it. */
const scanAnswer = (body: Buffer, streamed: boolean): ScannedAnswer | BodyFault => {
  const { closed, spans } = scanObject(body, ['usage', 'error', 'model']);
  const [usage = null, error = null, model = null] = spans;
  if (!closed) return { fault: 'upstream_garbled', why: 'the answer is not a JSON object', usage: null };
  const failed = error !== null && !isNull(body, error);
  if (!failed && !streamed) return { usage, model };
  const reading = readUsageAt(body, usage, 'chat');
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

/** One call's tries: what has failed, and what that says to the client in the end. */
class Tries {
  /** Most calls are answered at once and never need either. */
  failedChannels: Set<ChannelId> | null = null;
  triedKeys: Set<ChannelKeyId> | null = null;
  count = 0;
  billed = false;
  last: { readonly code: ErrorCode; readonly waitMs: number | null } | null = null;
  onlyLimited = true;

  hasFailed(channelId: ChannelId): boolean {
    return this.failedChannels !== null && this.failedChannels.has(channelId);
  }

  failChannel(channelId: ChannelId): void {
    (this.failedChannels ??= new Set()).add(channelId);
  }

  fail(code: ErrorCode, waitMs: number | null = null): void {
    this.last = { code, waitMs };
    if (code !== 'upstream_rate_limited') this.onlyLimited = false;
  }
}

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

const requestFor = (
  deps: AttemptDeps,
  call: Call,
  { provider }: Ask,
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
  if (key !== null) addCredential(headers, provider.auth, deps.channelSecrets.open(key));
  return {
    origin: address.origin,
    path: address.path + asked.path,
    method: 'POST',
    headers,
    body: asked.body,
    trusted: provider.internal === true,
  };
};

const open = (deps: AttemptDeps, call: Call, request: UpstreamRequest, { interpreter }: Asked): Promise<Opened> =>
  new Promise((resolve) => {
    const { limits } = deps;
    const opening = new Opening(
      {
        streamed: call.streamed,
        begun: deps.stopwatch.elapsed(),
        withinMs: call.streamed ? limits.firstEventMs : limits.answerMs,
        heartbeatMs: limits.heartbeatMs,
        answerBytes: limits.answerBytes,
        eventBytes: limits.eventBytes,
      },
      (opened) => {
        deps.watch.remove(opening);
        resolve(opened);
      },
    );
    deps.watch.add(opening);
    call.running = opening;
    if (interpreter === null) return opening.begin(deps.upstream.send(request, opening));
    const interpreting = interpreter(opening);
    const exchange = deps.upstream.send(request, interpreting);
    interpreting.begin(exchange);
    opening.begin(exchange);
  });

/** What one opened exchange means: an end of the tries (an {@link Attempted}), or `null`: another may be tried. */
const judge = (
  deps: AttemptDeps,
  call: Call,
  opened: Opened,
  served: Served,
  key: DirectoryChannelKey | null,
  tries: Tries,
  record: (outcome: z.infer<typeof Attempt>['outcome'], status: number | null, usage?: Usage) => void,
): Attempted | null => {
  const { states } = deps;
  const { channel } = served;
  const failChannel = (code: ErrorCode, why: string, waitMs: number | null = null): null => {
    tries.failChannel(channel.channelId);
    tries.fail(code, waitMs);
    states.failed(channel, why);
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
      return failChannel('upstream_timed_out', 'it did not answer in time');
    case 'fault':
      record('failed', null);
      if (opened.fault.kind === 'broken') tries.billed = true;
      return failChannel('upstream_failed', opened.fault.message);
    case 'garbled':
      record('failed', 200);
      tries.billed = true;
      return failChannel('upstream_garbled', opened.why);
    case 'error_event':
      record('failed', 200);
      return failChannel('upstream_failed', 'an error came as the first event of a stream');
    case 'stream':
      states.answering(channel);
      return { kind: 'stream', served, source: opened.source };
    case 'body':
      break;
  }
  const { status, headers, body } = opened;
  const { code, type } = status === 200 || status === 201 ? { code: null, type: null } : errorOf(body);
  const waitMs = askedToWait(headers['retry-after-ms'], headers['retry-after'], deps.clock.now());
  const verdict = judgeUpstream(status, code, type);
  switch (verdict) {
    case 'answer': {
      const scanned = scanAnswer(body, call.streamed);
      if (!('fault' in scanned)) return { kind: 'plain', served, body, scanned };
      record('failed', status, scanned.usage ?? undefined);
      tries.billed = scanned.fault === 'upstream_garbled' || scanned.usage !== null || tries.billed;
      return failChannel(scanned.fault, scanned.why);
    }
    case 'callers_fault':
      record('refused', status);
      states.succeeded(channel);
      return { kind: 'passed', status, headers, body };
    case 'key_refused':
      record('refused', status);
      states.keyRefused(channel, key, `the upstream answered ${status}`);
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
      tries.failChannel(channel.channelId);
      break;
    case 'channel_failed':
      record('failed', status);
      return failChannel('upstream_failed', `the upstream answered ${status}`, waitMs);
  }
  call.detail = `the upstream answered ${status}${code === null ? '' : ` (${code.slice(0, 64)})`}`;
  if (verdict !== 'rate_limited') tries.fail('upstream_refused');
  // A channel that was called without a key has no other to offer.
  if (key === null) tries.failChannel(channel.channelId);
  else (tries.triedKeys ??= new Set()).add(key.keyId);
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

/**
 * Tries channels until one answers. Only before the first byte to the client: a channel or key that failed is not tried
 * again for this call, waits grow with jitter between tries, and all calls together have a budget of retries.
 */
export const attempt = async (
  deps: AttemptDeps,
  call: Call,
  parsed: ParsedRequest,
  route: Route,
  loweredOutput: number | null,
): Promise<Attempted> => {
  const { limits, states, stopwatch } = deps;
  const tries = new Tries();
  deps.retries.saved = earn(deps.retries.saved, limits.retryBudget);
  let converted: { readonly ask: Ask; readonly asked: Asked } | null = null;
  let unsayable: Refusal | null = null;

  for (;;) {
    const mayTry = (candidate: DirectoryChannel): boolean =>
      !tries.hasFailed(candidate.channelId) &&
      states.admits(candidate) &&
      states.hasKey(candidate, tries.triedKeys) &&
      addressOf(candidate.settings, deps.sandboxUrl()) !== null;
    const channel = chooseChannel(route.channels, route.group, mayTry, deps.random());
    if (channel === null) break;

    if (tries.count > 0) {
      if (tries.count >= limits.attempts || stopwatch.elapsed() - call.begun >= limits.attemptsMs) break;
      const left = spendRetry(deps.retries.saved);
      if (left === null) break;
      deps.retries.saved = left;
      await sleep(backoff(tries.count - 1, limits.backoff, deps.random()), call);
      // Others may have found out meanwhile that the channel fails too.
      if (!mayTry(channel)) continue;
    }
    // Whoever left before anything was asked of an upstream is owed nothing and owes nothing.
    if (call.interrupted !== null || call.clientGone) return { kind: 'interrupted', billed: tries.billed };

    const upstreamModel = upstreamModelOf(channel.settings, route.model);
    const provider = providerOf(channel.settings.provider);
    if (provider === undefined) {
      tries.failChannel(channel.channelId);
      continue;
    }
    if (converted === null || converted.ask.upstreamModel !== upstreamModel || converted.ask.provider !== provider) {
      const modelLimit = route.price.maxOutputTokens ?? null;
      const createdAt = Math.floor(call.startedAt / 1_000);
      const ask: Ask = { parsed, provider, upstreamModel, loweredOutput, limits, modelLimit, createdAt };
      const asked = UPSTREAM_DIALECTS[provider.dialect].ask(ask);
      if (isRefusal(asked)) {
        unsayable = asked;
        tries.failChannel(channel.channelId);
        continue;
      }
      converted = { ask, asked };
    }
    const picked = states.nextKey(channel, tries.triedKeys);
    if (!picked.usable) continue;
    const { key } = picked;
    tries.count++;
    const attemptId = deps.ids.next('att') as AttemptId;
    const request = requestFor(deps, call, converted.ask, converted.asked, channel, key, attemptId);
    if (request === null) break;
    call.channelId = channel.channelId;
    call.upstreamModel = upstreamModel;

    const begun = stopwatch.elapsed();
    const span = startAttemptSpan(deps.tracer, call, channel.channelId, upstreamModel);
    const record = (outcome: z.infer<typeof Attempt>['outcome'], status: number | null, billedUsage?: Usage): void => {
      const durationMs = Math.round(stopwatch.elapsed() - begun);
      const facts = { attemptId, channelId: channel.channelId, channelKeyId: key?.keyId ?? null, outcome, status, durationMs };
      call.attempts.push(billedUsage === undefined ? facts : { ...facts, billedUsage });
      deps.metrics.attemptFinished(channel.channelId, outcome, durationMs);
      span?.end(outcome, status);
    };
    const finish: Served['finish'] = (outcome) => {
      record(outcome, 200);
      if (outcome === 'answered') states.succeeded(channel);
      else if (outcome !== 'aborted') states.failed(channel, 'it broke off in the middle of an answer');
    };
    states.attempted(channel);
    const opened = await open(deps, call, request, converted.asked);
    const attempted = judge(deps, call, opened, { channel, attemptId, upstreamModel, finish }, key, tries, record);
    if (attempted !== null) return attempted;
  }
  // What no channel's form can say is the caller's to change; anything else may pass.
  const refusal = tries.last === null && unsayable !== null ? unsayable : finalRefusal(deps, route, tries);
  return { kind: 'refused', refusal, billed: tries.billed };
};
