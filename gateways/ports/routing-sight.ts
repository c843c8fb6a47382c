import type { Hindrance } from '../../domain/relay/choose-channel.ts';
import type { ChannelId } from '../../schemas/ids.ts';

/** How a channel looks to a relay at this moment. */
export interface SeenChannel {
  /** Why it may not be called for the model now. */
  readonly hindrance: Extract<Hindrance, 'circuit_open' | 'model_circuit_open' | 'no_key'> | null;
  readonly inFlight: number;
  readonly latencyMs: number | null;
}

/** What the relay of this process sees; `null` for a channel that it does not know, or knows to be off. */
export interface RoutingSight {
  see(channelId: ChannelId, model: string): SeenChannel | null;
}
