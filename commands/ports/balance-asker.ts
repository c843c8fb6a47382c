import type { ChannelSettings } from '../../schemas/events/channel.ts';
import type { ReportedBalance } from '../../domain/providers/reported-balance.ts';

/** Asks an upstream what is left of the account behind a key. Never throws for what the upstream does. */
export interface BalanceAsker {
  /** What it told; or what went wrong, never with a credential in it. */
  ask(settings: ChannelSettings, credential: string | null): Promise<ReportedBalance | { readonly failed: string }>;
}
