import { applyHeaderRules } from '../../domain/channel/header-rules.ts';
import type { ChannelProbe, ProbeOutcome } from '../../commands/ports/channel-probe.ts';
import type { Clock } from '../../commands/ports/clock.ts';
import type { ChannelSettings, ModelMapping } from '../../schemas/events/channel.ts';
import type { Provider } from '../../domain/providers/provider.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { Upstream, UpstreamRequest } from '../ports/upstream.ts';
import { parse } from '../relay/endpoints/endpoints.ts';
import type { ParsedRequest } from '../relay/endpoints/parsed-request.ts';
import { ruled } from '../relay/channel-rewriting.ts';
import { DEFAULT_RELAY_LIMITS } from '../relay/relay-limits.ts';
import { addressOf } from '../relay/upstream-address.ts';
import { addCredential } from '../relay/upstreams/credential-headers.ts';
import { askUpstream } from '../relay/upstreams/upstream-dialects.ts';
import { askUpstreamOnce } from './ask-upstream.ts';

/** More than this is no answer to so small a question. */
const MOST_BYTES = 1_048_576;
/** Of what an upstream says of itself, enough to see what is wrong. */
const MESSAGE_LENGTH = 300;

const EMBEDDING = /embed|bge-|gte-|e5-/i;

/** The least call there is. Without a limit of its own: models do not agree on what that is called, and the answer to this is short. */
const question = ({ serves }: Provider, upstreamModel: string): ParsedRequest | Refusal =>
  EMBEDDING.test(upstreamModel) || (serves.includes('embeddings') && !serves.includes('chat'))
    ? parse(Buffer.from(JSON.stringify({ model: upstreamModel, input: 'hi' })), 'embeddings', DEFAULT_RELAY_LIMITS)
    : parse(
        Buffer.from(JSON.stringify({ model: upstreamModel, messages: [{ role: 'user', content: 'Say only: ok' }], stream: false })),
        'chat',
        DEFAULT_RELAY_LIMITS,
      );

/** What an error answer says, if it says it the usual way. */
const errorIn = (text: string): string => {
  try {
    const parsed = JSON.parse(text) as { readonly error?: { readonly message?: unknown } | string };
    const message = typeof parsed.error === 'string' ? parsed.error : parsed.error?.message;
    if (typeof message === 'string') return message;
  } catch {
    // Not JSON: what came is shown as it is.
  }
  return text.trim();
};

const looksAnswered = (text: string): boolean => {
  try {
    const parsed = JSON.parse(text) as { readonly choices?: unknown; readonly data?: unknown };
    return Array.isArray(parsed.choices) || Array.isArray(parsed.data);
  } catch {
    return false;
  }
};

const judge = (answer: Awaited<ReturnType<typeof askUpstreamOnce>>): Omit<ProbeOutcome, 'latencyMs'> => {
  if ('fault' in answer) return { ok: false, message: answer.fault };
  const { status, text } = answer;
  if (status >= 400) return { ok: false, message: `HTTP ${status}: ${errorIn(text)}` };
  return looksAnswered(text)
    ? { ok: true, message: `Answered with HTTP ${status}.` }
    : { ok: false, message: 'What came is no answer in the form that this provider has.' };
};

export interface ChannelProbeDeps {
  readonly upstream: Upstream;
  readonly clock: Clock;
  /** Where the sandbox listens in this process; `null` where it does not. */
  readonly sandboxUrl: () => string | null;
}

/** Tests channels through the same way that calls take, under the same egress rules. */
export const channelProbe = ({ upstream, clock, sandboxUrl }: ChannelProbeDeps): ChannelProbe => ({
  probe: async (settings: ChannelSettings, { upstreamModel }: ModelMapping, credential: string | null) => {
    const provider = providerOf(settings.provider);
    if (provider === undefined) return { ok: false, latencyMs: 0, message: 'This release does not know the provider.' };
    const address = addressOf(settings, sandboxUrl());
    if (address === null) return { ok: false, latencyMs: 0, message: 'The sandbox is off.' };
    const parsed = question(provider, upstreamModel);
    if (isRefusal(parsed)) return { ok: false, latencyMs: 0, message: parsed.message };
    const asked = askUpstream({
      parsed,
      provider,
      upstreamModel,
      loweredOutput: null,
      native: null,
      clientHeaders: {},
      modelLimit: null,
      createdAt: Math.floor(clock.now() / 1_000),
      limits: DEFAULT_RELAY_LIMITS,
    });
    if (isRefusal(asked)) return { ok: false, latencyMs: 0, message: asked.message };
    const said = ruled(asked, settings);
    if (said === null) return { ok: false, latencyMs: 0, message: 'The channel’s own rules pass over so small a call.' };
    const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json', ...said.headers };
    if (settings.headerRules !== undefined) applyHeaderRules(headers, settings.headerRules, {});
    const signing = credential === null ? null : addCredential(headers, provider.auth, credential);
    const request: UpstreamRequest = {
      origin: address.origin,
      path: address.path + said.path,
      method: 'POST',
      headers,
      body: said.body,
      trusted: provider.internal === true,
      ...(settings.proxy === undefined ? {} : { proxy: settings.proxy }),
      ...(signing === null ? {} : { signing }),
      ...(said.work === undefined ? {} : { work: { ...said.work, basePath: address.path } }),
      ...(said.socket === undefined ? {} : { socket: said.socket }),
    };
    const began = clock.now();
    const { ok, message } = judge(await askUpstreamOnce(upstream, request, said.interpreter, MOST_BYTES));
    // Upstreams that reject a key like to quote it.
    const clean = credential === null ? message : message.replaceAll(credential, '[key]');
    return { ok, latencyMs: Math.max(0, Math.round(clock.now() - began)), message: clean.slice(0, MESSAGE_LENGTH) };
  },
});
