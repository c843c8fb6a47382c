import type { ChannelId } from '../../schemas/ids.ts';

/** Calls to an upstream in the last quarter of an hour, by all gateways. */
export interface ChannelTraffic {
  readonly attempts: number;
  /** Those that failed or took too long. */
  readonly failures: number;
  /** How long one took on average, in milliseconds. */
  readonly meanMs: number;
}

/** For people to look at: nothing is decided by it. Never rejects; channels of which nothing is known are missing. */
export interface ChannelTraffics {
  of(channelIds: readonly ChannelId[]): Promise<ReadonlyMap<ChannelId, ChannelTraffic>>;
}
