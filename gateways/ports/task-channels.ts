import type { ChannelId } from '../../schemas/ids.ts';
import type { DirectoryChannel } from './directory.ts';

/** Channels that tasks were given to, whether or not they take any more. */
export interface TaskChannels {
  /** `null`: it was removed. */
  find(channelId: ChannelId): Promise<Pick<DirectoryChannel, 'channelId' | 'settings' | 'keys'> | null>;
}
