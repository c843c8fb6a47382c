import type { Capability, ChannelSettings } from '../../schemas/events/channel.ts';
import { lacksEndpoint } from '../providers/offers.ts';
import { servesGroup, type Hindrance } from './choose-channel.ts';

/**
 * Why a channel is none for a call at all, however well it is; `null` when it is one. `lacks`: what the model cannot do there; `needs`: what
 * the call asks for.
 */
export const filteredBy = (
  settings: Pick<ChannelSettings, 'groups' | 'endpoints' | 'provider' | 'baseUrl'>,
  lacks: readonly Capability[],
  group: string,
  endpoint: string,
  needs: readonly Capability[],
): Extract<Hindrance, 'other_group' | 'other_endpoint' | 'provider_lacks' | 'lacks_capability'> | null => {
  if (!servesGroup({ settings }, group)) return 'other_group';
  // Whoever says what a channel takes knows better than the provider's row.
  if (settings.endpoints === undefined) {
    if (lacksEndpoint(settings.provider, settings.baseUrl, endpoint)) return 'provider_lacks';
  } else if (!settings.endpoints.includes(endpoint)) return 'other_endpoint';
  return lacks.length > 0 && needs.some((need) => lacks.includes(need)) ? 'lacks_capability' : null;
};
