import { z } from 'zod';
import { ChannelHealth, ChannelSettings, ProviderId } from '../events/channel.ts';
import { ChannelId, ChannelKeyId } from '../ids.ts';
import { Instant } from '../time.ts';
import { AfterQuery, Done } from './wire.ts';

export const ChannelKeyView = z.object({
  keyId: ChannelKeyId,
  /** The last characters of the key. The key itself never leaves again. */
  hint: z.string(),
  enabled: z.boolean(),
  disabledReason: z.string().nullable(),
  /** Absent where it is on, or nobody knows. What the platform took out of use comes back when a test succeeds. */
  disabledBy: z.enum(['operator', 'platform']).nullable().optional(),
});

export const ChannelTestView = z.object({ ok: z.boolean(), model: z.string(), latencyMs: z.int(), message: z.string(), testedAt: Instant });

export const ChannelView = z.object({
  channelId: ChannelId,
  settings: ChannelSettings,
  enabled: z.boolean(),
  disabledBy: z.enum(['operator', 'platform']).nullable(),
  disabledReason: z.string().nullable(),
  health: ChannelHealth,
  healthReason: z.string().nullable(),
  healthSince: Instant.nullable(),
  /** Models that fail here while others may not. */
  failingModels: z.array(z.object({ model: z.string(), reason: z.string(), since: Instant })).optional(),
  keys: z.array(ChannelKeyView),
  lastTest: ChannelTestView.nullable(),
  addedAt: Instant,
  /** Calls to the upstream in the last quarter of an hour by all gateways; absent where they share no figures. Times in milliseconds. */
  traffic: z.object({ attempts: z.int(), failures: z.int(), meanMs: z.int() }).optional(),
  /** For `If-Match`. */
  revision: z.int(),
});

export const ChannelQuery = z.object({ ...AfterQuery, provider: ProviderId.optional(), model: z.string().max(200).optional() });
export const ChannelList = z.object({ rows: z.array(ChannelView) });

/** A credential of an upstream: sealed on arrival, never shown again. */
export const ChannelSecret = z.string().trim().min(1).max(4_096);

/** What fills the blanks of a provider's address, by their names. */
const Blanks = z.record(z.string().max(64), z.string().max(253));

/** Without a base URL: that of the provider, with its blanks filled. */
const AddressedSettings = ChannelSettings.extend({ baseUrl: ChannelSettings.shape.baseUrl.optional() });

/** What may be left out has a usual value: the provider's base URL, priority 0, weight 1, every group, cost as the price list says. */
const NewChannelSettings = AddressedSettings.extend({
  priority: ChannelSettings.shape.priority.default(0),
  weight: ChannelSettings.shape.weight.default(1),
  groups: ChannelSettings.shape.groups.default(null),
  costRatio: z.int().min(0).max(1_000_000_000).default(1_000_000).pipe(ChannelSettings.shape.costRatio),
});

export const AddChannel = z.object({
  settings: NewChannelSettings,
  blanks: Blanks.default({}),
  secrets: z.array(ChannelSecret).max(100).default([]),
});
export const ChannelAdded = z.object({ ...Done.shape, channelId: ChannelId });

/** Another origin in `baseUrl` needs the credentials anew: what was entrusted to one address is never sent to another. */
export const ChangeChannel = z.object({
  settings: AddressedSettings,
  blanks: Blanks.default({}),
  secrets: z.array(ChannelSecret).max(100).optional(),
});

export const AddChannelKey = z.object({ secret: ChannelSecret });
export const ChannelKeyAdded = z.object({ ...Done.shape, keyId: ChannelKeyId });

/** Without a model: the first one that the channel maps. */
export const TestChannel = z.object({ model: z.string().min(1).max(200).optional() });
export const ChannelTested = z.object({ ...Done.shape, ok: z.boolean(), model: z.string(), latencyMs: z.int(), message: z.string() });
