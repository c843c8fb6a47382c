import type { ChannelId } from '../../schemas/ids.ts';
import { chooseChannel, type Candidate, type Consideration, type RoutingFacts } from './choose-channel.ts';

/** The facts of one moment; what a simulated call changes of them is counted on top. */
export type StandingFacts<C> = Omit<RoutingFacts<C>, 'random' | 'turn'>;

export interface Simulated<C> {
  /** What became of each channel for the first call. */
  readonly considered: readonly { readonly channel: C; readonly consideration: Consideration }[];
  /** Where the calls went; channels that got none are missing. */
  readonly counts: ReadonlyMap<ChannelId, number>;
  /** Calls that nobody could serve. */
  readonly unserved: number;
}

/** Numbers in [0, 1) that follow from a seed alone (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
};

/**
 * Where so many calls would go, one after the other. Each of them stays in flight until `overlap` more have come; nothing else changes
 * meanwhile: nobody fails, and nobody gets slower.
 */
export const simulateRouting = <C extends Candidate>(
  channels: readonly C[],
  facts: StandingFacts<C>,
  { draws, overlap, seed }: { readonly draws: number; readonly overlap: number; readonly seed: number },
): Simulated<C> => {
  const random = seeded(seed);
  const considered: { channel: C; consideration: Consideration }[] = [];
  const counts = new Map<ChannelId, number>();
  const running: ChannelId[] = [];
  const more = new Map<ChannelId, number>();
  let unserved = 0;
  let turn = 0;
  let roll = 0;
  const moment: RoutingFacts<C> = {
    strategy: facts.strategy,
    affinity: facts.affinity,
    get random() {
      return roll;
    },
    get turn() {
      return turn;
    },
    hindrance: (channel) => facts.hindrance(channel),
    inFlight: (channel) => facts.inFlight(channel) + (more.get(channel.channelId) ?? 0),
    latencyMs: (channel) => facts.latencyMs(channel),
  };
  for (; turn < draws; turn++) {
    roll = random();
    const note = (channel: C, consideration: Consideration): void => void considered.push({ channel, consideration });
    const chosen = chooseChannel(channels, moment, turn === 0 ? note : undefined);
    if (chosen === null) {
      unserved++;
      continue;
    }
    const { channelId } = chosen;
    counts.set(channelId, (counts.get(channelId) ?? 0) + 1);
    if (overlap === 0) continue;
    running.push(channelId);
    more.set(channelId, (more.get(channelId) ?? 0) + 1);
    if (running.length <= overlap) continue;
    const ended = running.shift();
    if (ended !== undefined) more.set(ended, (more.get(ended) ?? 1) - 1);
  }
  return { considered, counts, unserved };
};
