import type { EventOf } from '../../schemas/events/catalogue.ts';
import type { StreamName } from '../../schemas/ids.ts';
import { RATIO_ONE, type Ratio } from '../../schemas/price.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

/** One stream for all groups: ratios stand beside the price lists, whichever of them is in force. */
export const groupRatiosStream: StreamName = streamName('pricelist', 'group-ratios');

/** By group; a group that is absent pays the list price. */
export type GroupRatios = ReadonlyMap<string, Ratio>;

export interface SetGroupRatio {
  readonly kind: 'setRatio';
  readonly group: string;
  readonly ratio: Ratio;
}

/** What each group of users pays of the list price. */
export const groupRatios: Decider<GroupRatios, SetGroupRatio, EventOf<'GroupRatioSet'>> = {
  initial: new Map(),
  evolve: (state, { data }) => new Map(state).set(data.group, data.ratio),
  decide: ({ group, ratio }, state) =>
    (state.get(group) ?? RATIO_ONE) === ratio ? [] : [{ type: 'GroupRatioSet', data: { group, ratio } }],
};
