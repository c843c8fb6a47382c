import { channelOf, channelStream } from '../../domain/channel/channel.ts';
import { modelChanges, type ModelChanges } from '../../domain/channel/model-changes.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import type { ModelLister } from '../ports/model-lister.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { readState } from '../read-state.ts';
import { runCommand } from '../run-command.ts';
import { channelToAsk } from './channel-to-ask.ts';

/** Most models of one upstream that are looked at. */
const MOST_MODELS = 2_000;

export interface DiscoveredModels extends ModelChanges {
  readonly models: readonly string[];
  readonly position: Position | null;
}

/** Asks the channel's upstream which models it has, and puts it on record. Nothing is mapped by it: that is for somebody to say. */
export const discoverModels = async (
  deps: CommandLog & { readonly lister: ModelLister; readonly secretBox: SecretBox },
  channelId: ChannelId,
  context: CommandContext,
): Promise<DiscoveredModels | Refusal> => {
  const channel = await channelToAsk(deps, channelId);
  if (isRefusal(channel)) return channel;
  const { settings, credential } = channel;
  const listed = await deps.lister.list(settings, credential);
  if ('failed' in listed) return refuse('upstream_failed', `The upstream did not list its models: ${listed.failed}`);
  const models = [...new Set(listed.filter((name) => name.length > 0 && name.length <= 200))].slice(0, MOST_MODELS);
  const recorded = await runCommand(
    deps.log,
    deps.appender,
    channelStream(channelId),
    channelOf(channelId),
    { kind: 'recordModels', models },
    context,
  );
  return isRefusal(recorded) ? recorded : { models, ...modelChanges(settings.models, models), position: recorded.position };
};

/** Maps models by the upstream's own names, and takes mappings away. */
export const applyModels = async (
  deps: CommandLog,
  { channelId, add, remove }: { readonly channelId: ChannelId; readonly add: readonly string[]; readonly remove: readonly string[] },
  context: CommandContext,
): Promise<{ readonly position: Position | null } | Refusal> => {
  const { settings } = await readState(deps.log, channelStream(channelId), channelOf(channelId));
  if (settings === null) return refuse('not_found', 'There is no such channel.');
  const kept = settings.models.filter(({ model }) => !remove.includes(model));
  const known = new Set(kept.map(({ model }) => model));
  const models = [...kept, ...[...new Set(add)].filter((name) => !known.has(name)).map((name) => ({ model: name, upstreamModel: name }))];
  if (models.length === 0) return refuse('invalid_request', 'A channel maps one model at least.', { param: 'remove' });
  if (models.length > MOST_MODELS) return refuse('invalid_request', `A channel maps at most ${MOST_MODELS} models.`, { param: 'add' });
  return runCommand(
    deps.log,
    deps.appender,
    channelStream(channelId),
    channelOf(channelId),
    { kind: 'change', settings: { ...settings, models } },
    context,
  );
};
