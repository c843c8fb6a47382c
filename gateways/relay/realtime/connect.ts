import { applyHeaderRules } from '../../../domain/channel/header-rules.ts';
import type { Provider } from '../../../domain/providers/provider.ts';
import { providerOf } from '../../../domain/providers/providers.ts';
import { askedToWait, backoff } from '../../../domain/relay/backoff.ts';
import { chooseChannel } from '../../../domain/relay/choose-channel.ts';
import { DEFAULT_DISABLE_RULES, disabledBy } from '../../../domain/relay/disable-rules.ts';
import { earn, spendRetry } from '../../../domain/relay/retry-budget.ts';
import { judgeUpstream } from '../../../domain/relay/upstream-verdict.ts';
import { refuse, type ErrorCode, type Refusal } from '../../../schemas/errors.ts';
import type { Attempt } from '../../../schemas/events/lease.ts';
import type { AttemptId } from '../../../schemas/ids.ts';
import type { DirectoryChannel, DirectoryChannelKey } from '../../ports/directory.ts';
import type { FrameSocket, SocketOpened, SocketRequest } from '../../ports/frame-sockets.ts';
import type { AttemptDeps } from '../attempt-deps.ts';
import type { Call } from '../call.ts';
import { CallRouting } from '../call-routing.ts';
import type { Route } from '../route.ts';
import { errorOf } from '../said-error.ts';
import { addressOf, mappedBy } from '../upstream-address.ts';
import { addCredential } from '../upstreams/credential-headers.ts';

/** The newest of Azure's versions whose sessions are asked for by a deployment's name. */
const AZURE_VERSION = '2024-10-01-preview';

export interface Connected {
  readonly socket: FrameSocket;
  readonly channel: DirectoryChannel;
  readonly key: DirectoryChannelKey | null;
  readonly upstreamModel: string;
  /** The session at the upstream is over. */
  readonly finish: (outcome: Attempt['outcome']) => void;
}

/** The upstream's own words on a fault of the caller's. */
export interface PassedOn {
  readonly passed: { readonly status: number; readonly body: Buffer };
}

const pathFor = ({ dialect, paths }: Provider, model: string): string => {
  const name = encodeURIComponent(model);
  return dialect === 'azure'
    ? `/realtime?api-version=${AZURE_VERSION}&deployment=${name}`
    : `${paths?.realtime ?? '/realtime'}?model=${name}`;
};

const requestFor = (
  deps: AttemptDeps,
  call: Call,
  channel: DirectoryChannel,
  key: DirectoryChannelKey | null,
  upstreamModel: string,
  attemptId: AttemptId,
): SocketRequest | null => {
  const provider = providerOf(channel.settings.provider);
  const address = addressOf(channel.settings, null);
  // Only these two speak it; what would have to be signed is neither.
  if (provider === undefined || address === null || provider.internal === true) return null;
  if (provider.dialect !== 'openai' && provider.dialect !== 'azure') return null;
  const headers: Record<string, string> = { 'user-agent': 'oblivious', 'x-client-request-id': attemptId };
  const beta = call.req.headers['openai-beta'];
  if (typeof beta === 'string') headers['openai-beta'] = beta;
  const { headerRules, proxy } = channel.settings;
  if (headerRules !== undefined) applyHeaderRules(headers, headerRules, call.req.headers);
  if (key !== null && addCredential(headers, provider.auth, deps.channelSecrets.open(key)) !== null) return null;
  const { realtime } = deps.limits;
  return {
    origin: address.origin,
    path: address.path + pathFor(provider, upstreamModel),
    headers,
    trusted: false,
    ...(proxy === undefined ? {} : { proxy }),
    frameBytes: realtime.frameBytes,
    withinMs: realtime.openMs,
  };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/**
 * Opens a socket to an upstream that serves the route: channels are chosen, passed over and judged as for any call, until one is open. From there on
 * the session belongs to that channel.
 */
export const connect = async (deps: AttemptDeps, call: Call, route: Route): Promise<Connected | PassedOn | Refusal> => {
  const { limits, states, stopwatch, retries } = deps;
  const asks = { endpoint: 'realtime', affinity: null, capabilities: () => [] };
  const routing = new CallRouting(route, asks, states, null);
  const { model } = route;
  retries.saved = earn(retries.saved, limits.retryBudget);
  let tries = 0;
  let last: { readonly code: ErrorCode; readonly waitMs: number | null } | null = null;

  /** What an answer in the place of a socket means; `null`: another channel or key may be tried. */
  const judge = (
    channel: DirectoryChannel,
    key: DirectoryChannelKey | null,
    { status: said, headers, body }: Extract<SocketOpened, { kind: 'answered' }>,
    record: Connected['finish'],
  ): PassedOn | null => {
    const status = channel.settings.statusMap?.find(({ from }) => from === said)?.to ?? said;
    const { code, type } = errorOf(body);
    const disabled = disabledBy(channel.settings.disableRules ?? DEFAULT_DISABLE_RULES, {
      status,
      code,
      type,
      text: body.toString('utf8', 0, 8 * 1024),
    });
    const why = `the upstream answered ${status}${code === null ? '' : ` (${code.slice(0, 64)})`}`;
    const waitMs = askedToWait(headers['retry-after-ms'], headers['retry-after'], deps.clock.now());
    const verdict =
      disabled === 'channel' ? 'channel_unfit' : disabled === 'key' && key !== null ? 'key_refused' : judgeUpstream(status, code, type);
    call.detail = why;
    last = { code: verdict === 'rate_limited' ? 'upstream_rate_limited' : 'upstream_refused', waitMs };
    const ofKey = verdict === 'key_refused' || verdict === 'key_spent' || verdict === 'rate_limited';
    if (ofKey && key !== null) routing.passOverKey(key.keyId);
    else routing.passOver(channel.channelId);
    switch (verdict) {
      case 'callers_fault':
        record('refused');
        states.succeeded(channel, model, key, 0);
        return { passed: { status, body } };
      case 'key_refused':
        states.keyRefused(channel, key, why);
        break;
      case 'key_spent':
        states.keySpent(channel, key);
        break;
      case 'rate_limited':
        states.keyLimited(channel, key, waitMs);
        break;
      case 'channel_unfit':
        if (disabled === 'channel') states.channelRefused(channel, why);
        break;
      // A success is no answer to somebody who asked for a socket.
      case 'answer':
      case 'channel_failed':
        record('failed');
        last = { code: 'upstream_failed', waitMs };
        states.failed(channel, model, 'answer', why);
        return null;
    }
    record('refused');
    return null;
  };

  for (;;) {
    routing.random = deps.random();
    const channel = chooseChannel(route.channels, routing);
    if (channel === null) break;
    if (tries > 0) {
      if (tries >= limits.attempts || stopwatch.elapsed() - call.begun >= limits.attemptsMs) break;
      const left = spendRetry(retries.saved);
      if (left === null) break;
      retries.saved = left;
      await pause(backoff(tries - 1, limits.backoff, deps.random()));
      if (routing.hindrance(channel) !== null) continue;
    }
    if (call.interrupted !== null) return refuse('shutting_down');
    const picked = states.nextKey(channel, routing.triedKeys, null, routing.random);
    if (!picked.usable) continue;
    const { key } = picked;
    const upstreamModel = mappedBy(channel.settings, model)?.upstreamModel ?? model;
    const attemptId = deps.ids.next('att') as AttemptId;
    const request = requestFor(deps, call, channel, key, upstreamModel, attemptId);
    if (request === null) {
      routing.passOver(channel.channelId);
      continue;
    }
    tries++;
    call.channelId = channel.channelId;
    call.upstreamModel = upstreamModel;
    const begun = stopwatch.elapsed();
    let status: number | null = null;
    const record = (outcome: Attempt['outcome']): void => {
      const durationMs = Math.round(stopwatch.elapsed() - begun);
      call.attempts.push({ attemptId, channelId: channel.channelId, channelKeyId: key?.keyId ?? null, outcome, status, durationMs });
      states.ended(channel);
      deps.metrics.attemptFinished(channel.channelId, outcome, durationMs);
    };
    states.attempted(channel, model);
    const opened = await deps.frameSockets.open(request);
    if (opened.kind === 'open') {
      status = 101;
      const openedMs = stopwatch.elapsed() - begun;
      states.answering(channel, model);
      states.answeredAfter(channel, openedMs);
      const finish: Connected['finish'] = (outcome) => {
        record(outcome);
        if (outcome === 'answered') states.succeeded(channel, model, key, openedMs);
        else if (outcome !== 'aborted') states.failed(channel, model, 'answer', 'a session broke off');
      };
      return { socket: opened.socket, channel, key, upstreamModel, finish };
    }
    if (opened.kind === 'fault') {
      record('failed');
      routing.passOver(channel.channelId);
      states.failed(channel, model, 'silence', opened.fault.message);
      call.detail = opened.fault.message;
      last = { code: 'upstream_failed', waitMs: null };
      continue;
    }
    status = opened.status;
    const passed = judge(channel, key, opened, record);
    if (passed !== null) return passed;
  }
  const final = last;
  const retryAfterSeconds =
    final?.waitMs === undefined || final.waitMs === null
      ? states.secondsUntilReady(route.channels)
      : Math.max(1, Math.ceil(final.waitMs / 1_000));
  if (final === null) return refuse('no_channel', undefined, { retryAfterSeconds });
  return final.code === 'upstream_rate_limited' ? refuse(final.code, undefined, { retryAfterSeconds }) : refuse(final.code);
};
