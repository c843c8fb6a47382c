import { chooseChannel, servesGroup } from '../../../domain/relay/choose-channel.ts';
import { DEFAULT_ROUTING } from '../../../domain/relay/routing-rules.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Directory, DirectoryChannel } from '../../ports/directory.ts';
import type { Caller } from '../call.ts';
import type { ChannelStates } from '../channel-states.ts';
import { addressOf } from '../upstream-address.ts';

/** Names the id or a tag of the channels that a call may go to; for administrators. */
export const CHANNEL_HEADER = 'x-oblivious-channel';

export const isNamed = ({ channelId, settings }: DirectoryChannel, named: string | null): boolean =>
  named === null || channelId === named || (settings.tags ?? []).includes(named);

/** Who may say which channel it is to be. */
export const mayName = ({ user }: Caller, named: string | null): Refusal | null =>
  named === null || user.role === 'admin' ? null : refuse('forbidden', `The header ${CHANNEL_HEADER} is for administrators.`);

/** Enabled channels of the provider whose operator has opened them to the provider's own addresses. */
export const opened = (directory: Directory, providerId: string, named: string | null): readonly DirectoryChannel[] =>
  directory.channelsOfProvider(providerId).filter((channel) => channel.settings.passThrough !== undefined && isNamed(channel, named));

/** Those that this caller may use. */
export const openedTo = (caller: Caller, channels: readonly DirectoryChannel[]): readonly DirectoryChannel[] =>
  channels.filter((channel) => servesGroup(channel, caller.user.group) && channel.settings.endpoints?.includes('pass_through') !== false);

/** One that can be asked now, by priority and weight. */
export const pick = (
  channels: readonly DirectoryChannel[],
  model: string,
  states: ChannelStates,
  random: number,
  sandboxUrl: string | null,
): DirectoryChannel | null =>
  chooseChannel(channels, {
    strategy: DEFAULT_ROUTING.strategy,
    affinity: null,
    random,
    turn: 0,
    hindrance: (channel) =>
      states.hindrance(channel, model, null) ?? (addressOf(channel.settings, sandboxUrl) === null ? 'no_address' : null),
    inFlight: (channel) => states.inFlight(channel),
    latencyMs: (channel) => states.latencyMs(channel),
  });

/** The same directory, with no other channels than those of the provider that are open. */
export const onlyOpened = (directory: Directory, providerId: string, named: string | null): Directory => {
  const allowed = new Set(opened(directory, providerId, named));
  const served = (model: string): readonly DirectoryChannel[] =>
    directory.channelsForModel(model).filter((channel) => allowed.has(channel));
  return {
    tokenByHash: (keyHash) => directory.tokenByHash(keyHash),
    user: (userId) => directory.user(userId),
    lookUp: (keyHash) => directory.lookUp(keyHash),
    channelsOfProvider: (provider) => directory.channelsOfProvider(provider),
    channelsForModel: served,
    modelMeant: (model) => directory.modelMeant(model),
    routingFor: (model, group) => directory.routingFor(model, group),
    models: () => directory.models(),
    price: (model) => directory.price(model),
    groupRatio: (group) => directory.groupRatio(group),
  };
};
