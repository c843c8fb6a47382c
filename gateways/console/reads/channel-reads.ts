import type { z } from 'zod';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import { channelById, listChannels } from '../../../projections/channels/queries.ts';
import type { ChannelDocument } from '../../../projections/channels/tables.ts';
import type { ChannelView } from '../../../schemas/http/channels.ts';
import { given } from './asked.ts';
import type { ReadsDeps } from './reads-deps.ts';

/** Without the sealed credentials. */
const viewOf = ({ removed: _removed, keys, ...channel }: ChannelDocument): z.output<typeof ChannelView> => ({
  ...channel,
  keys: keys.map(({ secret: _secret, ...key }) => key),
});

export const channelReads = ({ sql }: ReadsDeps): Pick<ConsoleReads, 'channels' | 'channel'> => ({
  channels: async (asked) => ({ rows: (await listChannels(sql, given(asked))).map(viewOf) }),

  channel: async (channelId) => {
    const channel = await channelById(sql, channelId);
    return channel === null || channel.removed ? null : viewOf(channel);
  },
});
