import { channelOf, channelStream, type Channel, type ChannelCommand } from '../../domain/channel/channel.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/event-envelope.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { runCommand, type CommandResult } from '../run-command.ts';

/** What needs neither a secret nor an address: those go through `add-channel.ts`. */
export type DirectChannelCommand = Exclude<ChannelCommand, { kind: 'add' | 'change' | 'addKey' }>;

export const runChannelCommand = (
  deps: CommandLog,
  channelId: ChannelId,
  command: DirectChannelCommand,
  context: CommandContext,
  expectedRevision?: Revision,
): Promise<CommandResult<Channel> | Refusal> =>
  runCommand(deps.log, deps.appender, channelStream(channelId), channelOf(channelId), command, context, expectedRevision);
