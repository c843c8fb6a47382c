import type { z } from 'zod';
import { channelById, listChannels } from '../../../projections/channels/queries.ts';
import type { ChannelDocument } from '../../../projections/channels/tables.ts';
import type { ChannelView } from '../../../schemas/http/channels.ts';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import type { ReadsDeps } from './reads-deps.ts';

/** Sealed credentials stay behind. */
const channelViewOf = ({ keys, removed: _removed, ...channel }: ChannelDocument): z.output<typeof ChannelView> => ({
  ...channel,
  keys: keys.map(({ keyId, hint, enabled, disabledReason }) => ({ keyId, hint, enabled, disabledReason })),
});

export const channelReads = ({ sql }: ReadsDeps): Pick<ConsoleReads, 'channels' | 'channel'> => ({
  channels: async ({ provider, model }) => {
    const found = await listChannels(sql, { ...(provider === undefined ? {} : { provider }), ...(model === undefined ? {} : { model }) });
    return { rows: found.map(channelViewOf) };
  },
  channel: async (channelId) => {
    const channel = await channelById(sql, channelId);
    return channel === null || channel.removed ? null : channelViewOf(channel);
  },
});
