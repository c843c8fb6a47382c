import { channelOf, channelStream } from '../../domain/channel/channel.ts';
import { ModelMap } from '../../domain/relay/model-mapping.ts';
import { isPattern } from '../../domain/relay/name-pattern.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { ChannelSettings, ModelMapping } from '../../schemas/events/channel.ts';
import type { ChannelId, ChannelKeyId } from '../../schemas/ids.ts';
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

/** What a channel is tested with: a name of its own, for a pattern is none. */
const testedModel = ({ models, testModel }: ChannelSettings, asked: string | undefined): ModelMapping | Refusal => {
  const model = asked ?? testModel ?? models.find((mapping) => !isPattern(mapping.model))?.model;
  if (model === undefined)
    return refuse('invalid_request', 'The channel maps patterns only. Name a model to test it with.', { param: 'model' });
  const mapped = new ModelMap(models).get(model);
  return mapped === null
    ? refuse('invalid_request', `The channel does not map the model ${model}.`, { param: 'model' })
    : { model, upstreamModel: mapped.upstreamModel };
};

/**
 * One small call through a channel, with the credential that is named, be it disabled, else with its first that is on; the outcome is recorded
 * and decides the channel's health, unless it says something of a disabled credential only.
 */
export const testChannel = async (
  deps: CommandLog & { readonly probe: ChannelProbe; readonly secretBox: SecretBox },
  command: { readonly channelId: ChannelId; readonly model?: string; readonly keyId?: ChannelKeyId },
  context: CommandContext,
): Promise<ChannelTest | Refusal> => {
  const { channelId } = command;
  const { settings, keys } = await readState(deps.log, channelStream(channelId), channelOf(channelId));
  if (settings === null) return refuse('not_found', 'There is no such channel.');
  const mapping = testedModel(settings, command.model);
  if (isRefusal(mapping)) return mapping;
  const usable = [...keys].find(([keyId, { enabled }]) => (command.keyId === undefined ? enabled : keyId === command.keyId));
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
    { kind: 'recordTest', model: mapping.model, ...outcome, ...(command.keyId === undefined ? {} : { keyId: command.keyId }) },
    context,
  );
  return isRefusal(recorded) ? recorded : { ...outcome, model: mapping.model, position: recorded.position };
};
