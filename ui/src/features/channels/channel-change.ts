import { changeChannel, listChannels, type Channel, type ChannelSettings } from '../../api/channels.ts';
import { changedMeanwhile, rewrite } from '../../api/rewrite.ts';

/**
 * Changes the settings of a channel that still has those of `before`. Much else moves its revision without anybody's doing, such as a test
 * on schedule or a balance that was told, and is no reason to refuse what somebody typed meanwhile.
 *
 * @throws {ApiFailure} `revision_mismatch` where somebody else changed these settings, or removed the channel.
 */
export const changeSettings = async (before: Channel, after: ChannelSettings, secrets: string[]): Promise<void> => {
  await rewrite({
    read: async () => {
      const now = (await listChannels()).rows.find(({ channelId }) => channelId === before.channelId);
      if (now === undefined) throw changedMeanwhile();
      return { whole: now.settings, revision: now.revision };
    },
    change: (settings) => {
      if (JSON.stringify(settings) !== JSON.stringify(before.settings)) throw changedMeanwhile();
      return after;
    },
    write: (settings, revision) => changeChannel(before.channelId, secrets.length === 0 ? { settings } : { settings, secrets }, revision),
  });
};
