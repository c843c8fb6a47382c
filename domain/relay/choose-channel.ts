/** What routing has to know of a channel. */
export interface Candidate {
  readonly priority: number;
  readonly weight: number;
  /** User groups that may use it; `null` is all of them. */
  readonly groups: readonly string[] | null;
}

/** Whether the group may use the channel at all. */
export const servesGroup = (candidate: Pick<Candidate, 'groups'>, group: string): boolean => candidate.groups === null || candidate.groups.includes(group);

/**
 * One of the channels that may be tried, or `null`: of the highest priority that has any, by weight. Weight zero is a
 * last resort of its priority: taken only where all others are out. `random` is in [0, 1) and makes the choice.
 */
export const chooseChannel = <C extends Candidate>(channels: readonly C[], group: string, mayTry: (channel: C) => boolean, random: number): C | null => {
  let priority = -Infinity;
  let usable: C[] = [];
  for (const channel of channels) {
    if (channel.priority < priority || !servesGroup(channel, group) || !mayTry(channel)) continue;
    if (channel.priority > priority) {
      priority = channel.priority;
      usable = [];
    }
    usable.push(channel);
  }
  const [first] = usable;
  if (first === undefined || usable.length === 1) return first ?? null;

  let total = 0;
  for (const { weight } of usable) total += weight;
  if (total === 0) return usable[Math.floor(random * usable.length)] ?? first;
  let place = random * total;
  for (const channel of usable) {
    place -= channel.weight;
    if (channel.weight > 0 && place < 0) return channel;
  }
  return usable.findLast((channel) => channel.weight > 0) ?? first;
};
