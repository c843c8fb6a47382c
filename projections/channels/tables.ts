import { z } from 'zod';
import { ChannelHealth, ChannelSettings } from '../../schemas/events/channel.ts';
import { ChannelId, ChannelKeyId } from '../../schemas/ids.ts';
import { Sealed } from '../../schemas/sealed.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const CHANNELS = { name: 'channels', version: 1 } as const;

export const channelTable = tableName(CHANNELS.name, CHANNELS.version);

export const ChannelKeyDocument = z.object({
  keyId: ChannelKeyId,
  secret: Sealed,
  hint: z.string(),
  enabled: z.boolean(),
  disabledReason: z.string().nullable(),
  /** Absent where nobody knows: in rows of before it was told apart. */
  disabledBy: z.enum(['operator', 'platform']).nullable().optional(),
});
export type ChannelKeyDocument = z.infer<typeof ChannelKeyDocument>;

export const ChannelDocument = z.object({
  channelId: ChannelId,
  settings: ChannelSettings,
  enabled: z.boolean(),
  disabledBy: z.enum(['operator', 'platform']).nullable(),
  disabledReason: z.string().nullable(),
  health: ChannelHealth,
  healthReason: z.string().nullable(),
  healthSince: Instant.nullable(),
  /** Models that fail here while others may not. Absent where none ever did. */
  failingModels: z.array(z.object({ model: z.string(), reason: z.string(), since: Instant })).optional(),
  /** When its upstream was asked last which models it has, and how many it said. Absent where it never was. */
  discovered: z.object({ count: z.int(), at: Instant }).optional(),
  /** What its provider says is left. Absent where it never said. */
  balance: z.object({ currency: z.string(), amount: z.string(), isLow: z.boolean(), reportedAt: Instant }).optional(),
  /** In the order in which they were added. */
  keys: z.array(ChannelKeyDocument),
  lastTest: z.object({ ok: z.boolean(), model: z.string(), latencyMs: z.int(), message: z.string(), testedAt: Instant }).nullable(),
  /** Calls of the past still name a channel that is gone. Its keys are not kept. */
  removed: z.boolean(),
  addedAt: Instant,
  revision: z.int(),
});
export type ChannelDocument = z.infer<typeof ChannelDocument>;
