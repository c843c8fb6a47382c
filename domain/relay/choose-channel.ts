import type { ChannelSettings } from '../../schemas/events/channel.ts';

/** What routing has to know of a channel. */
export interface Candidate {
  readonly settings: Pick<ChannelSettings, 'priority' | 'weight' | 'groups'>;
}

/** Whether the group may use the channel at all. */
export const servesGroup = ({ settings: { groups } }: { readonly settings: Pick<ChannelSettings, 'groups'> }, group: string): boolean =>
  groups === null || groups.includes(group);

/**
 * One of the channels that may be tried, or `null`: of the highest priority that has any, by weight. Weight zero is a
 * last resort of its priority: taken only where all others are out. `random` is in [0, 1) and makes the choice.
 */
export const chooseChannel = <C extends Candidate>(
  channels: readonly C[],
  group: string,
  mayTry: (channel: C) => boolean,
  random: number,
): C | null => {
  const [only] = channels;
  if (only !== undefined && channels.length === 1) return servesGroup(only, group) && mayTry(only) ? only : null;
  let priority = -Infinity;
  let usable: C[] = [];
  for (const channel of channels) {
    const its = channel.settings.priority;
    if (its < priority || !servesGroup(channel, group) || !mayTry(channel)) continue;
    if (its > priority) {
      priority = its;
      usable = [];
    }
    usable.push(channel);
  }
  const [first] = usable;
  if (first === undefined || usable.length === 1) return first ?? null;

  let total = 0;
  for (const { settings } of usable) total += settings.weight;
  if (total === 0) return usable[Math.floor(random * usable.length)] ?? first;
  let place = random * total;
  for (const channel of usable) {
    place -= channel.settings.weight;
    if (channel.settings.weight > 0 && place < 0) return channel;
  }
  return usable.findLast((channel) => channel.settings.weight > 0) ?? first;
};
