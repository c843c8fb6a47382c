import type { ChannelSettings } from '../../schemas/events/channel.ts';
import type { RoutingStrategy } from '../../schemas/events/routing.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import { belongsTo } from './rendezvous.ts';

/** What routing has to know of a channel. */
export interface Candidate {
  readonly channelId: ChannelId;
  readonly settings: Pick<ChannelSettings, 'priority' | 'weight' | 'costRatio'>;
}

/** Why a channel may not be tried. */
export type Hindrance =
  /** It failed in this call already, or is being tried for it. */
  | 'tried'
  | 'other_group'
  | 'other_endpoint'
  | 'provider_lacks'
  | 'lacks_capability'
  | 'circuit_open'
  | 'model_circuit_open'
  | 'no_key'
  | 'no_address';

/** What became of a channel that was considered. */
export type Consideration =
  | { readonly kind: 'hindered'; readonly by: Hindrance }
  | { readonly kind: 'lower_priority' }
  /** Weight zero, where others have some. */
  | { readonly kind: 'last_resort' }
  /** The strategy prefers others. */
  | { readonly kind: 'outdone' }
  /** `odds` in [0, 1], of this choice. */
  | { readonly kind: 'not_drawn'; readonly odds: number }
  | { readonly kind: 'chosen'; readonly odds: number };

/** Everything that decides. */
export interface RoutingFacts<C> {
  readonly strategy: RoutingStrategy;
  /** Calls with the same one go to the same channel as long as it can be tried. */
  readonly affinity: string | null;
  /** In [0, 1): makes the choice. */
  readonly random: number;
  /** Counts calls, for those that take turns. */
  readonly turn: number;
  hindrance(channel: C): Hindrance | null;
  /** Calls that it is at now. */
  inFlight(channel: C): number;
  /** How long it takes to answer; `null` where nothing is known. */
  latencyMs(channel: C): number | null;
}

/** Told of every channel, once each. */
export type Note<C> = (channel: C, consideration: Consideration) => void;

/** Whether the group may use the channel at all. */
export const servesGroup = ({ settings: { groups } }: { readonly settings: Pick<ChannelSettings, 'groups'> }, group: string): boolean =>
  groups === null || groups.includes(group);

/** Those of the highest priority that has any that may be tried. */
const topOf = <C extends Candidate>(channels: readonly C[], facts: RoutingFacts<C>, note: Note<C> | undefined): C[] => {
  let priority = -Infinity;
  let top: C[] = [];
  for (const channel of channels) {
    const its = channel.settings.priority;
    if (its < priority && note === undefined) continue;
    const by = facts.hindrance(channel);
    if (by !== null) note?.(channel, { kind: 'hindered', by });
    else if (its < priority) note?.(channel, { kind: 'lower_priority' });
    else if (its === priority) top.push(channel);
    else {
      if (note !== undefined) for (const lower of top) note(lower, { kind: 'lower_priority' });
      priority = its;
      top = [channel];
    }
  }
  return top;
};

/** What a strategy holds against a channel; of two it takes the one with less. */
const burdenOf = <C extends Candidate>(channel: C, facts: RoutingFacts<C>): number => {
  const { weight, costRatio } = channel.settings;
  switch (facts.strategy) {
    case 'lowest_cost':
      return costRatio;
    case 'least_in_flight':
      return (facts.inFlight(channel) + 1) / Math.max(1, weight);
    case 'lowest_latency': {
      const running = facts.inFlight(channel);
      const known = facts.latencyMs(channel);
      // One call finds out about a channel that nothing is known of; the others do not wait for it to.
      if (known === null) return running === 0 ? 0 : Infinity;
      return known * (running + 1);
    }
    case 'weighted':
    case 'round_robin':
      return 0;
  }
};

/** Those that the strategy puts before the others, of several. */
const favouredOf = <C extends Candidate>(usable: readonly C[], facts: RoutingFacts<C>, note: Note<C> | undefined): readonly C[] => {
  if (facts.strategy === 'weighted') return usable;
  let favoured: C[] = [];
  if (facts.strategy === 'round_robin') {
    const next = usable[facts.turn % usable.length];
    if (next !== undefined) favoured.push(next);
  } else {
    let least = Infinity;
    for (const channel of usable) {
      const burden = burdenOf(channel, facts);
      if (burden < least) {
        least = burden;
        favoured = [];
      }
      if (burden === least) favoured.push(channel);
    }
  }
  if (note !== undefined) for (const channel of usable) if (!favoured.includes(channel)) note(channel, { kind: 'outdone' });
  return favoured;
};

const draw = <C extends Candidate>(channels: readonly C[], random: number): C | undefined => {
  let total = 0;
  for (const { settings } of channels) total += settings.weight;
  if (total === 0) return channels[Math.floor(random * channels.length)] ?? channels[0];
  let place = random * total;
  for (const channel of channels) {
    place -= channel.settings.weight;
    if (channel.settings.weight > 0 && place < 0) return channel;
  }
  return channels.findLast(({ settings }) => settings.weight > 0);
};

const noteDrawn = <C extends Candidate>(drawn: readonly C[], chosen: C, certain: boolean, note: Note<C>): void => {
  const total = drawn.reduce((sum, { settings }) => sum + settings.weight, 0);
  for (const channel of drawn) {
    const odds = certain ? (channel === chosen ? 1 : 0) : total === 0 ? 1 / drawn.length : channel.settings.weight / total;
    note(channel, { kind: channel === chosen ? 'chosen' : 'not_drawn', odds });
  }
};

/**
 * One of the channels that may be tried, or `null`: of the highest priority that has any; of these the one that the call has an affinity to,
 * else one that the strategy prefers, drawn by weight among equals. Weight zero is a last resort of its priority, taken only where all
 * others are out. `note` hears what became of each, and changes nothing.
 */
export const chooseChannel = <C extends Candidate>(channels: readonly C[], facts: RoutingFacts<C>, note?: Note<C>): C | null => {
  const [only] = channels;
  if (only === undefined) return null;
  if (channels.length === 1 && note === undefined) return facts.hindrance(only) === null ? only : null;
  const top = topOf(channels, facts, note);
  if (top.length <= 1) {
    const [first] = top;
    if (first === undefined) return null;
    note?.(first, { kind: 'chosen', odds: 1 });
    return first;
  }
  if (facts.strategy === 'weighted' && facts.affinity === null && note === undefined) return draw(top, facts.random) ?? null;

  const weighed = top.filter(({ settings }) => settings.weight > 0);
  const usable = weighed.length === 0 ? top : weighed;
  if (note !== undefined && usable !== top)
    for (const channel of top) if (channel.settings.weight === 0) note(channel, { kind: 'last_resort' });
  if (facts.affinity !== null) {
    const home = belongsTo(
      usable,
      facts.affinity,
      ({ channelId }) => channelId,
      ({ settings }) => settings.weight,
    );
    if (home !== null && note !== undefined) noteDrawn(usable, home, true, note);
    return home;
  }
  const favoured = favouredOf(usable, facts, note);
  const chosen = draw(favoured, facts.random) ?? null;
  if (chosen !== null && note !== undefined) noteDrawn(favoured, chosen, favoured.length === 1, note);
  return chosen;
};
