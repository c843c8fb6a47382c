import { channelKeyContext } from '../../../commands/channels/channel-secrets.ts';
import type { SecretBox } from '../../../commands/ports/secret-box.ts';
import { applyHeaderRules } from '../../../domain/channel/header-rules.ts';
import { providerOf } from '../../../domain/providers/providers.ts';
import type { EventOf } from '../../../schemas/events/catalogue.ts';
import { askUpstreamOnce } from '../../console/ask-upstream.ts';
import type { TaskChannels } from '../../ports/task-channels.ts';
import type { Upstream, UpstreamRequest } from '../../ports/upstream.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { addressOf } from '../upstream-address.ts';
import { addCredential } from '../upstreams/credential-headers.ts';

export interface AskTaskDeps {
  readonly channels: TaskChannels;
  readonly upstream: Upstream;
  readonly secrets: Pick<SecretBox, 'open'>;
  readonly sandboxUrl: () => string | null;
}

const MOST_BYTES = 8 * 1024 * 1024;

/** A question about a task, to the channel that took it and with the key that it was taken for; `null` where either is gone. */
export const taskRequest = async (
  { channels, secrets, sandboxUrl }: AskTaskDeps,
  { channelId, channelKeyId }: EventOf<'TaskSubmitted'>['data'],
  {
    method,
    path,
    accept = 'application/json',
  }: { readonly method: 'GET' | 'DELETE' | 'POST'; readonly path: string; readonly accept?: string },
): Promise<UpstreamRequest | null> => {
  const channel = await channels.find(channelId);
  if (channel === null) return null;
  const { settings } = channel;
  const provider = providerOf(settings.provider);
  const address = addressOf(settings, sandboxUrl());
  if (provider === undefined || address === null) return null;
  const headers: Record<string, string> = { accept, 'user-agent': 'oblivious' };
  if (settings.headerRules !== undefined) applyHeaderRules(headers, settings.headerRules, {});
  const key = channel.keys.find(({ keyId }) => keyId === channelKeyId);
  if (key === undefined && channelKeyId !== null) return null;
  const signing = key === undefined ? null : addCredential(headers, provider.auth, secrets.open(key.secret, channelKeyContext(key.keyId)));
  return {
    origin: address.origin,
    path: address.path + path,
    method,
    headers,
    body: null,
    trusted: provider.internal === true,
    ...(settings.proxy === undefined ? {} : { proxy: settings.proxy }),
    ...(signing === null ? {} : { signing }),
  };
};

/** Asks about a task; `null` where nothing came back. */
export const askTask = async (
  deps: AskTaskDeps,
  submission: EventOf<'TaskSubmitted'>['data'],
  question: { readonly method: 'GET' | 'DELETE'; readonly path: string },
): Promise<{ readonly status: number; readonly said: unknown } | null> => {
  const request = await taskRequest(deps, submission, question);
  if (request === null) return null;
  const answer = await askUpstreamOnce(deps.upstream, request, null, MOST_BYTES);
  return 'fault' in answer ? null : { status: answer.status, said: parsedJson(answer.text) };
};
