import { channelKeyContext } from '../../commands/channels/channel-secrets.ts';
import type { SecretBox } from '../../commands/ports/secret-box.ts';
import { applyHeaderRules } from '../../domain/channel/header-rules.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import type { ChannelId, ChannelKeyId } from '../../schemas/ids.ts';
import type { TaskChannels } from '../ports/task-channels.ts';
import type { Upstream, UpstreamRequest } from '../ports/upstream.ts';
import { askUpstreamOnce } from '../console/ask-upstream.ts';
import { parsedJson } from './dialects/parsed-json.ts';
import { addressOf } from './upstream-address.ts';
import { addCredential } from './upstreams/credential-headers.ts';

/** Where a file lies, or a batch or a task is worked on: the account of one key of one channel. */
export interface UpstreamPlace {
  readonly channelId: ChannelId;
  readonly channelKeyId: ChannelKeyId | null;
}

export interface PlaceDeps {
  readonly channels: TaskChannels;
  readonly upstream: Upstream;
  readonly secrets: Pick<SecretBox, 'open'>;
  readonly sandboxUrl: () => string | null;
}

export interface PlaceQuestion {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Behind the channel's base URL. */
  readonly path: string;
  readonly body?: UpstreamRequest['body'];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A question to a place; `null` where the channel or its key is gone. */
export const placeRequest = async (
  { channels, secrets, sandboxUrl }: PlaceDeps,
  { channelId, channelKeyId }: UpstreamPlace,
  { method, path, body = null, headers: more = {} }: PlaceQuestion,
): Promise<UpstreamRequest | null> => {
  const channel = await channels.find(channelId);
  if (channel === null) return null;
  const { settings } = channel;
  const provider = providerOf(settings.provider);
  const address = addressOf(settings, sandboxUrl());
  const key = channel.keys.find(({ keyId }) => keyId === channelKeyId);
  if (provider === undefined || address === null || (key === undefined && channelKeyId !== null)) return null;
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'oblivious', ...more };
  if (settings.headerRules !== undefined) applyHeaderRules(headers, settings.headerRules, {});
  const signing = key === undefined ? null : addCredential(headers, provider.auth, secrets.open(key.secret, channelKeyContext(key.keyId)));
  return {
    origin: address.origin,
    path: address.path + path,
    method,
    headers,
    body,
    trusted: provider.internal === true,
    ...(settings.proxy === undefined ? {} : { proxy: settings.proxy }),
    ...(signing === null ? {} : { signing }),
  };
};

const MOST_BYTES = 4 * 1024 * 1024;

/** Asks, and has the whole answer; `null` where none came. */
export const askPlace = async (
  deps: PlaceDeps,
  place: UpstreamPlace,
  question: PlaceQuestion,
  withinMs?: number,
  mostBytes = MOST_BYTES,
): Promise<{ readonly status: number; readonly said: unknown; readonly text: string } | null> => {
  const request = await placeRequest(deps, place, question);
  if (request === null) return null;
  const answer = await askUpstreamOnce(deps.upstream, request, null, mostBytes, withinMs);
  return 'fault' in answer ? null : { ...answer, said: parsedJson(answer.text) };
};
