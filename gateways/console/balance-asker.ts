import type { BalanceAsker } from '../../commands/ports/balance-asker.ts';
import { applyHeaderRules } from '../../domain/channel/header-rules.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import { balanceQuestion } from '../../domain/providers/reported-balance.ts';
import { addressOf } from '../relay/upstream-address.ts';
import { addCredential } from '../relay/upstreams/credential-headers.ts';
import { askUpstreamOnce } from './ask-upstream.ts';
import type { ChannelProbeDeps } from './channel-probe.ts';

/** More than this is no answer to so small a question. */
const MOST_BYTES = 256 * 1024;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

/** Asks for balances on the way that calls take, under the same egress rules. */
export const balanceAsker = ({ upstream, sandboxUrl }: Pick<ChannelProbeDeps, 'upstream' | 'sandboxUrl'>): BalanceAsker => ({
  ask: async (settings, credential) => {
    const provider = providerOf(settings.provider);
    const address = addressOf(settings, sandboxUrl());
    const question = balanceQuestion(settings.provider);
    if (provider === undefined || address === null) return { failed: 'its provider cannot be called here.' };
    if (question === null) return { failed: 'its provider has no address for that.' };
    const headers: Record<string, string> = { accept: 'application/json' };
    if (settings.headerRules !== undefined) applyHeaderRules(headers, settings.headerRules, {});
    if (credential !== null) addCredential(headers, provider.auth, credential);
    const answers: unknown[] = [];
    for (const path of question.paths) {
      const request = {
        origin: address.origin,
        path: question.behind === 'host' ? path : `${address.path}${path}`,
        method: 'GET' as const,
        headers,
        body: null,
        trusted: provider.internal === true,
        ...(settings.proxy === undefined ? {} : { proxy: settings.proxy }),
      };
      const answer = await askUpstreamOnce(upstream, request, null, MOST_BYTES);
      if ('fault' in answer) return { failed: credential === null ? answer.fault : answer.fault.replaceAll(credential, '[key]') };
      if (answer.status !== 200) return { failed: `it answered with HTTP ${answer.status}.` };
      answers.push(parsed(answer.text));
    }
    return question.read(answers) ?? { failed: 'what it answered with is no balance.' };
  },
});
