import { useQuery } from '@pinia/colada';
import { computed, type ComputedRef, type MaybeRefOrGetter } from 'vue';
import { listChannels, type Channel } from '../api/channels.ts';

export interface ChannelNames {
  /** Empty until they are there. */
  readonly channels: ComputedRef<readonly Channel[]>;
  /** The id of one that is not there, or no longer. */
  readonly nameOf: (channelId: string) => string;
}

/** The channels by name, for those who may know them. */
export const useChannelNames = (allowed: MaybeRefOrGetter<boolean>): ChannelNames => {
  const query = useQuery({ key: ['channels'], query: ({ signal }) => listChannels(signal), enabled: allowed });
  const channels = computed(() => query.data.value?.rows ?? []);
  return { channels, nameOf: (id) => channels.value.find(({ channelId }) => channelId === id)?.settings.name ?? id };
};
