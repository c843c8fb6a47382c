import type { z } from 'zod';
import type { ChannelHealth } from '../../schemas/events/channel.ts';
import type { ChannelId, ChannelKeyId } from '../../schemas/ids.ts';

/** Hears of a channel's health when it changes, never of single attempts. Must return at once and may not throw. */
export interface ChannelHealthObserver {
  healthChanged(channelId: ChannelId, from: z.infer<typeof ChannelHealth>, to: z.infer<typeof ChannelHealth>, reason: string): void;
  /** One model of the channel, by our name. */
  modelHealthChanged(channelId: ChannelId, model: string, to: 'healthy' | 'failing', reason: string): void;
  /** What the upstream says means that the channel serves nobody until somebody acts: it should be disabled for everybody. */
  channelRefused(channelId: ChannelId, reason: string): void;
  /** The upstream refuses the key (401, 403): it should be disabled for everybody. */
  keyRefused(channelId: ChannelId, keyId: ChannelKeyId, reason: string): void;
}
