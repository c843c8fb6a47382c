import { channelOf, channelStream } from '../../domain/channel/channel.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import { ChannelId, CommandId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { derivedId } from '../derived-id.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { readState } from '../read-state.ts';
import { runCommand } from '../run-command.ts';
import { channelKeyContext, sealSecrets } from './channel-secrets.ts';

/** Another channel with the same settings and credentials, which leads to the same server. It is off: somebody will want to change it first. */
export const copyChannel = async (
  deps: CommandLog & { readonly secretBox: SecretBox },
  { channelId, name }: { readonly channelId: ChannelId; readonly name: string },
  context: CommandContext,
): Promise<{ readonly channelId: ChannelId; readonly position: Position | null } | Refusal> => {
  const original = await readState(deps.log, channelStream(channelId), channelOf(channelId));
  if (original.settings === null) return refuse('not_found', 'There is no such channel.');
  const secrets = [...original.keys].map(([keyId, { secret }]) => deps.secretBox.open(secret, channelKeyContext(keyId)));
  const copyId = ChannelId.parse(derivedId('chn', context.commandId));
  const added = await runCommand(
    deps.log,
    deps.appender,
    channelStream(copyId),
    channelOf(copyId),
    { kind: 'add', settings: { ...original.settings, name }, keys: sealSecrets(deps.secretBox, secrets, context) },
    context,
  );
  if (isRefusal(added)) return added;
  const off = await runCommand(
    deps.log,
    deps.appender,
    channelStream(copyId),
    channelOf(copyId),
    { kind: 'disable', by: 'operator', reason: 'A copy, not in use yet.' },
    { ...context, commandId: CommandId.parse(`${context.commandId}/off`) },
  );
  return isRefusal(off) ? off : { channelId: copyId, position: off.position ?? added.position };
};
