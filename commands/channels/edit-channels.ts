import { channelOf, channelStream, type ChannelCommand } from '../../domain/channel/channel.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import { CommandId, type ChannelId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { readState } from '../read-state.ts';
import { runCommand } from '../run-command.ts';

/** What is changed of many channels at once; what is absent stays as each has it. */
export interface ChannelsEdit extends Partial<Pick<ChannelSettings, 'priority' | 'weight' | 'groups' | 'costRatio'>> {
  readonly enabled?: boolean | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
}

export interface EditedChannel {
  readonly channelId: ChannelId;
  readonly refusal: Refusal | null;
  readonly position: Position | null;
}

const edited = (settings: ChannelSettings, { enabled: _, addTags, removeTags, ...figures }: ChannelsEdit): ChannelSettings => {
  const given = Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined)) as Partial<ChannelSettings>;
  const changed = { ...settings, ...given };
  if (addTags === undefined && removeTags === undefined) return changed;
  const tags = [...new Set([...(settings.tags ?? []), ...(addTags ?? [])])].filter((tag) => removeTags?.includes(tag) !== true);
  return { ...changed, tags };
};

/** Most words that one channel carries. */
const MOST_TAGS = 20;

/** The same change to each of the channels, one after the other: where one is refused the others go on. */
export const editChannels = async (
  deps: CommandLog,
  channelIds: readonly ChannelId[],
  edit: ChannelsEdit,
  context: CommandContext,
): Promise<readonly EditedChannel[]> => {
  const results: EditedChannel[] = [];
  for (const channelId of new Set(channelIds)) {
    const run = (command: ChannelCommand, part: string) =>
      runCommand(deps.log, deps.appender, channelStream(channelId), channelOf(channelId), command, {
        ...context,
        commandId: CommandId.parse(`${context.commandId}/${channelId}/${part}`),
      });
    const { settings } = await readState(deps.log, channelStream(channelId), channelOf(channelId));
    const wanted = settings === null ? null : edited(settings, edit);
    if (wanted === null) {
      results.push({ channelId, refusal: refuse('not_found', 'There is no such channel.'), position: null });
      continue;
    }
    if ((wanted.tags?.length ?? 0) > MOST_TAGS) {
      results.push({ channelId, refusal: refuse('invalid_request', `A channel has at most ${MOST_TAGS} tags.`), position: null });
      continue;
    }
    const changed = await run({ kind: 'change', settings: wanted }, 'change');
    const switched =
      isRefusal(changed) || edit.enabled === undefined
        ? changed
        : await run(edit.enabled ? { kind: 'enable' } : { kind: 'disable', by: 'operator', reason: 'Switched off with others.' }, 'switch');
    results.push(
      isRefusal(switched)
        ? { channelId, refusal: switched, position: null }
        : { channelId, refusal: null, position: switched.position ?? (isRefusal(changed) ? null : changed.position) },
    );
  }
  return results;
};
