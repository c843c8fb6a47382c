import type { ChannelSettings, ModelMapping } from '../../schemas/events/channel.ts';

export interface ProbeOutcome {
  readonly ok: boolean;
  readonly latencyMs: number;
  /** What to tell people: never with a credential in it. */
  readonly message: string;
}

/** Sends one small call to an upstream. Never throws for what the upstream does. */
export interface ChannelProbe {
  probe(settings: ChannelSettings, model: ModelMapping, credential: string | null): Promise<ProbeOutcome>;
}
