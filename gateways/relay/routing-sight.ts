import type { Directory } from '../ports/directory.ts';
import type { RoutingSight } from '../ports/routing-sight.ts';
import type { ChannelStates } from './channel-states.ts';

/** For people who ask why a call goes where it goes. */
export const routingSight = (directory: Pick<Directory, 'channelsForModel'>, states: ChannelStates): RoutingSight => ({
  see: (channelId, model) => {
    const channel = directory.channelsForModel(model).find((each) => each.channelId === channelId);
    if (channel === undefined) return null;
    return { hindrance: states.hindrance(channel, model, null), inFlight: states.inFlight(channel), latencyMs: states.latencyMs(channel) };
  },
});
