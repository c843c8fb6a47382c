import { z } from 'zod';
import { ChannelHealth, ChannelSettings, ProviderId } from '../events/channel.ts';
import { ChannelId, ChannelKeyId } from '../ids.ts';
import { Instant } from '../time.ts';
import { AfterQuery, Done, RefusalCode } from './wire.ts';

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
  discovered: z.object({ count: z.int(), at: Instant }).optional(),
  /** What its provider said last is left, and since when it says that. Absent where nobody asks for it by schedule, or it never said. */
  balance: z.object({ currency: z.string(), amount: z.string(), isLow: z.boolean(), reportedAt: Instant }).optional(),
  keys: z.array(ChannelKeyView),
  lastTest: ChannelTestView.nullable(),
  addedAt: Instant,
  /** Calls to the upstream in the last quarter of an hour by all gateways; absent where they share no figures. Times in milliseconds. */
  traffic: z.object({ attempts: z.int(), failures: z.int(), meanMs: z.int() }).optional(),
  /** For `If-Match`. */
  revision: z.int(),
});

export const ChannelQuery = z.object({
  ...AfterQuery,
  provider: ProviderId.optional(),
  model: z.string().max(200).optional(),
  tag: z.string().max(40).optional(),
});
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

const Tags = z.array(z.string().min(1).max(40)).max(20);

/** Which channels, by their ids or by a tag, and what is changed of each; what is absent stays. */
export const EditChannels = z
  .object({
    channelIds: z.array(ChannelId).min(1).max(500).optional(),
    tag: z.string().min(1).max(40).optional(),
    edit: z.object({
      enabled: z.boolean().optional(),
      priority: ChannelSettings.shape.priority.optional(),
      weight: ChannelSettings.shape.weight.optional(),
      groups: ChannelSettings.shape.groups.optional(),
      costRatio: ChannelSettings.shape.costRatio.optional(),
      addTags: Tags.optional(),
      removeTags: Tags.optional(),
    }),
  })
  .refine(({ channelIds, tag }) => (channelIds === undefined) !== (tag === undefined), 'give channelIds or a tag');
export const ChannelsEdited = z.object({
  ...Done.shape,
  /** `code` and `message` say why a channel was left as it was. */
  rows: z.array(z.object({ channelId: ChannelId, ok: z.boolean(), code: RefusalCode.nullable(), message: z.string().nullable() })),
});

export const CopyChannel = z.object({ name: ChannelSettings.shape.name });

/** Channels as they go from one installation to another: never with a credential. */
export const ExportedChannels = z.object({
  format: z.literal('oblivious-channels'),
  version: z.literal(1),
  channels: z.array(z.object({ settings: ChannelSettings })).max(500),
});

/** As they were exported, with credentials where somebody has put them in. Channels whose name is there already are left alone. */
export const ImportChannels = ExportedChannels.extend({
  channels: z
    .array(z.object({ settings: ChannelSettings, secrets: z.array(ChannelSecret).max(100).default([]) }))
    .min(1)
    .max(500),
});
export const ChannelsImported = z.object({
  ...Done.shape,
  rows: z.array(
    z.object({ name: z.string(), channelId: ChannelId.nullable(), code: RefusalCode.nullable(), message: z.string().nullable() }),
  ),
});

/** What is left of an account at a provider, as the provider tells it. */
export const BalanceTold = z.object({
  /** Of ISO 4217. */
  currency: z.string(),
  /** A decimal number. It may be below zero. */
  amount: z.string(),
});

export const ModelsDiscovered = z.object({
  ...Done.shape,
  models: z.array(z.string()),
  /** The upstream's names that no mapping leads to. */
  missing: z.array(z.string()),
  /** Our names of mappings that lead to what the upstream does not have. */
  gone: z.array(z.string()),
});

/** `add`: by the upstream's names. `remove`: by ours. */
export const ApplyModels = z.object({
  add: z.array(z.string().min(1).max(200)).max(2_000).default([]),
  remove: z.array(z.string().min(1).max(200)).max(2_000).default([]),
});
