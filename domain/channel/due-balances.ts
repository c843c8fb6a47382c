import type { ChannelId } from '../../schemas/ids.ts';
import { balanceQuestion } from '../providers/reported-balance.ts';
import type { ChannelInCare } from './due-tests.ts';

/** What is known of a channel, as far as it says whether its provider is to be asked what is left. */
export interface ChannelWithAccount extends Pick<ChannelInCare, 'channelId' | 'enabled' | 'disabledBy' | 'keys'> {
  readonly settings: { readonly provider: string; readonly balance?: { readonly everyMinutes: number } | undefined };
}

/** In each slot of its channel's time a provider is asked once, whoever asks. */
export interface DueBalance {
  readonly channelId: ChannelId;
  readonly slot: number;
}

/** Channels whose providers are to be asked. What the platform switched off may have been filled up; what an operator switched off is nobody's business. */
export const dueBalances = (channels: readonly ChannelWithAccount[], now: number): readonly DueBalance[] =>
  channels.flatMap(({ channelId, settings, enabled, disabledBy, keys }) => {
    const { provider, balance } = settings;
    if (balance === undefined || balanceQuestion(provider) === null || (!enabled && disabledBy !== 'platform')) return [];
    if (keys.length > 0 && keys.every((key) => !key.enabled)) return [];
    return [{ channelId, slot: Math.floor(now / (balance.everyMinutes * 60_000)) }];
  });
