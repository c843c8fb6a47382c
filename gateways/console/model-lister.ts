import type { ModelLister } from '../../commands/ports/model-lister.ts';
import { applyHeaderRules } from '../../domain/channel/header-rules.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import { addressOf } from '../relay/upstream-address.ts';
import { addCredential } from '../relay/upstreams/credential-headers.ts';
import { askUpstreamOnce } from './ask-upstream.ts';
import type { ChannelProbeDeps } from './channel-probe.ts';

/** Some list tens of thousands of models, each with a description. */
const MOST_BYTES = 16 * 1024 * 1024;

/** The version of Anthropic's format that knows of models. */
const ANTHROPIC_VERSION = '2023-06-01';

const nameIn = (entry: unknown): readonly string[] => {
  if (typeof entry === 'string') return [entry];
  if (typeof entry !== 'object' || entry === null) return [];
  const { id, name } = entry as { readonly id?: unknown; readonly name?: unknown };
  if (typeof id === 'string') return [id];
  return typeof name === 'string' ? [name.replace(/^models\//, '')] : [];
};

/** The names in a list of models: `data` as OpenAI and Anthropic have it, `models` as Gemini does, or a bare list. `null`: it is none. */
const namesIn = (text: string): readonly string[] | null => {
  try {
    const parsed = JSON.parse(text) as unknown;
    const { data, models } = (Array.isArray(parsed) ? { data: parsed as unknown } : parsed) as {
      readonly data?: unknown;
      readonly models?: unknown;
    };
    const list = Array.isArray(data) ? data : models;
    return Array.isArray(list) ? list.flatMap(nameIn) : null;
  } catch {
    return null;
  }
};

/** Lists models by the address that nearly all upstreams have for it, on the way that calls take, under the same egress rules. */
export const modelLister = ({ upstream, sandboxUrl }: Pick<ChannelProbeDeps, 'upstream' | 'sandboxUrl'>): ModelLister => ({
  list: async (settings, credential) => {
    const provider = providerOf(settings.provider);
    const address = addressOf(settings, sandboxUrl());
    if (provider === undefined || address === null) return { failed: 'its provider cannot be called here.' };
    const headers: Record<string, string> = {
      accept: 'application/json',
      ...(provider.dialect === 'anthropic' ? { 'anthropic-version': ANTHROPIC_VERSION } : {}),
    };
    if (settings.headerRules !== undefined) applyHeaderRules(headers, settings.headerRules, {});
    if (credential !== null) addCredential(headers, provider.auth, credential);
    const answer = await askUpstreamOnce(
      upstream,
      {
        origin: address.origin,
        path: `${address.path}/models`,
        method: 'GET',
        headers,
        body: null,
        trusted: provider.internal === true,
        ...(settings.proxy === undefined ? {} : { proxy: settings.proxy }),
      },
      null,
      MOST_BYTES,
    );
    if ('fault' in answer) return { failed: credential === null ? answer.fault : answer.fault.replaceAll(credential, '[key]') };
    if (answer.status !== 200) return { failed: `it answered with HTTP ${answer.status}.` };
    return namesIn(answer.text) ?? { failed: 'what it answered with is no list of models.' };
  },
});
