import type { ChannelSettings } from '../../schemas/events/channel.ts';

/** Asks an upstream which models it has. Never throws for what the upstream does. */
export interface ModelLister {
  /** In the order in which they came; or what went wrong, never with a credential in it. */
  list(settings: ChannelSettings, credential: string | null): Promise<readonly string[] | { readonly failed: string }>;
}
