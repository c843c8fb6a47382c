import { z } from 'zod';
import { ChannelId, ChannelKeyId } from '../ids.ts';
import { Ratio } from '../price.ts';
import { Sealed } from '../sealed.ts';

/** A model as our clients name it, and as this channel's upstream does. */
export const ModelMapping = z.object({ model: z.string().min(1).max(200), upstreamModel: z.string().min(1).max(200) });
export type ModelMapping = z.infer<typeof ModelMapping>;

/**
 * Who is behind a channel, by its id in the table of providers. Not an enumeration: the table grows, and a log with a provider of a later
 * release is read by this one all the same.
 */
export const ProviderId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'is not the id of a provider');
export type ProviderId = z.infer<typeof ProviderId>;

export const ChannelHealth = z.enum(['unknown', 'healthy', 'failing']);
export type ChannelHealth = z.infer<typeof ChannelHealth>;

export const ChannelSettings = z.object({
  name: z.string().min(1).max(100),
  provider: ProviderId,
  /** With the version segment, without a trailing slash: `https://api.openai.com/v1`. */
  baseUrl: z.url({ protocol: /^https?$/ }).max(500),
  models: z.array(ModelMapping).min(1).max(2_000),
  /** Channels of the highest priority that can serve a call are tried first… */
  priority: z.int().min(-1_000).max(1_000),
  /** …and among equals this is the odds. Zero keeps a channel as a last resort of its priority. */
  weight: z.int().min(0).max(10_000),
  /** User groups that may use the channel; `null` is all of them. */
  groups: z.array(z.string().min(1).max(64)).min(1).max(100).nullable(),
  /** What the upstream charges us as a share of the price list. */
  costRatio: Ratio,
});
export type ChannelSettings = z.infer<typeof ChannelSettings>;

export const channelEvents = {
  ChannelAdded: z.object({ channelId: ChannelId, settings: ChannelSettings }),
  ChannelChanged: z.object({ channelId: ChannelId, settings: ChannelSettings }),
  ChannelKeyAdded: z.object({ channelId: ChannelId, keyId: ChannelKeyId, secret: Sealed, hint: z.string().max(12) }),
  ChannelKeyDisabled: z.object({ channelId: ChannelId, keyId: ChannelKeyId, reason: z.string().max(500) }),
  ChannelKeyRestored: z.object({ channelId: ChannelId, keyId: ChannelKeyId }),
  ChannelKeyRemoved: z.object({ channelId: ChannelId, keyId: ChannelKeyId }),
  ChannelEnabled: z.object({ channelId: ChannelId }),
  ChannelDisabled: z.object({ channelId: ChannelId, by: z.enum(['operator', 'platform']), reason: z.string().max(500) }),
  ChannelHealthChanged: z.object({ channelId: ChannelId, from: ChannelHealth, to: ChannelHealth, reason: z.string().max(500) }),
  ChannelTested: z.object({
    channelId: ChannelId,
    ok: z.boolean(),
    model: z.string().max(200),
    latencyMs: z.int().nonnegative(),
    message: z.string().max(500),
  }),
  ChannelRemoved: z.object({ channelId: ChannelId }),
} as const;
