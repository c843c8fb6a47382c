import { channelOf, channelStream } from '../../domain/channel/channel.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { CommandLog } from '../command-log.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { readState } from '../read-state.ts';
import { channelKeyContext } from './channel-secrets.ts';

/** A channel whose upstream is asked something, with its first key in use. `credential`: `null` for a channel that has no keys. */
export const channelToAsk = async (
  { log, secretBox }: Pick<CommandLog, 'log'> & { readonly secretBox: SecretBox },
  channelId: ChannelId,
): Promise<{ readonly settings: ChannelSettings; readonly credential: string | null } | Refusal> => {
  const { settings, keys } = await readState(log, channelStream(channelId), channelOf(channelId));
  if (settings === null) return refuse('not_found', 'There is no such channel.');
  const usable = [...keys].find(([, { enabled }]) => enabled);
  if (usable === undefined && keys.size > 0)
    return refuse('wrong_state', 'Every key of the channel is disabled. Restore one or add another.');
  return { settings, credential: usable === undefined ? null : secretBox.open(usable[1].secret, channelKeyContext(usable[0])) };
};
