import type { Channel } from '../../api/channels.ts';
import type { Tone } from '../../ui/tone.ts';

/** What an operator wants to know first: is it on, and does it work. */
export type ChannelState = 'healthy' | 'failing' | 'unknown' | 'disabled' | 'stopped';

export const stateOf = (channel: Pick<Channel, 'enabled' | 'disabledBy' | 'health'>): ChannelState => {
  if (!channel.enabled) return channel.disabledBy === 'platform' ? 'stopped' : 'disabled';
  return channel.health;
};

export const STATE_TONE: Readonly<Record<ChannelState, Tone>> = {
  healthy: 'ok',
  failing: 'bad',
  unknown: 'neutral',
  disabled: 'neutral',
  stopped: 'bad',
};

/** What is wrong first, then by priority and name. */
const RANK: Readonly<Record<ChannelState, number>> = { stopped: 0, failing: 1, unknown: 2, healthy: 3, disabled: 4 };
export const rankOf = (channel: Channel): number => RANK[stateOf(channel)];

export const matchesSearch = (channel: Channel, text: string): boolean => {
  const wanted = text.toLowerCase();
  return (
    wanted === '' ||
    channel.settings.name.toLowerCase().includes(wanted) ||
    channel.settings.baseUrl.toLowerCase().includes(wanted) ||
    channel.settings.models.some(({ model }) => model.toLowerCase().includes(wanted))
  );
};
