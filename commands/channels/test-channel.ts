import { channelOf, channelStream } from '../../domain/channel/channel.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import type { ChannelProbe, ProbeOutcome } from '../ports/channel-probe.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { readState } from '../read-state.ts';
import { runCommand } from '../run-command.ts';
import { channelKeyContext } from './channel-secrets.ts';

export interface ChannelTest extends ProbeOutcome {
  readonly model: string;
  readonly position: Position | null;
}

/** Longest message that the event keeps. */
const MESSAGE_LENGTH = 500;

/** One small call through a channel, with its first credential that is on; the outcome is recorded and decides its health. */
export const testChannel = async (
  deps: CommandLog & { readonly probe: ChannelProbe; readonly secretBox: SecretBox },
  command: { readonly channelId: ChannelId; readonly model?: string },
  context: CommandContext,
): Promise<ChannelTest | Refusal> => {
  const { channelId } = command;
  const { settings, keys } = await readState(deps.log, channelStream(channelId), channelOf(channelId));
  if (settings === null) return refuse('not_found', 'There is no such channel.');
  const mapping = command.model === undefined ? settings.models[0] : settings.models.find(({ model }) => model === command.model);
  if (mapping === undefined)
    return refuse('invalid_request', `The channel does not map the model ${command.model ?? ''}.`, { param: 'model' });
  const usable = [...keys].find(([, { enabled }]) => enabled);
  if (usable === undefined && keys.size > 0)
    return refuse('wrong_state', 'Every key of the channel is disabled. Restore one or add another.');
  const credential = usable === undefined ? null : deps.secretBox.open(usable[1].secret, channelKeyContext(usable[0]));

  const { ok, latencyMs, message } = await deps.probe.probe(settings, mapping, credential);
  const outcome = { ok, latencyMs, message: message.slice(0, MESSAGE_LENGTH) };
  const recorded = await runCommand(
    deps.log,
    deps.appender,
    channelStream(channelId),
    channelOf(channelId),
    { kind: 'recordTest', model: mapping.model, ...outcome },
    context,
  );
  return isRefusal(recorded) ? recorded : { ...outcome, model: mapping.model, position: recorded.position };
};
