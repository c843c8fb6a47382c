import type { Capability, ChannelSettings } from '../../schemas/events/channel.ts';
import { servesGroup, type Hindrance } from './choose-channel.ts';

/**
 * Why a channel is none for a call at all, however well it is; `null` when it is one. `lacks`: what the model cannot do there; `needs`: what
 * the call asks for.
 */
export const filteredBy = (
  settings: Pick<ChannelSettings, 'groups' | 'endpoints'>,
  lacks: readonly Capability[],
  group: string,
  endpoint: string,
  needs: readonly Capability[],
): Extract<Hindrance, 'other_group' | 'other_endpoint' | 'lacks_capability'> | null => {
  if (!servesGroup({ settings }, group)) return 'other_group';
  if (settings.endpoints !== undefined && !settings.endpoints.includes(endpoint)) return 'other_endpoint';
  return lacks.length > 0 && needs.some((need) => lacks.includes(need)) ? 'lacks_capability' : null;
};
