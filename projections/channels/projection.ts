import type { ChannelEvent } from '../../schemas/events/catalogue.ts';
import { channelEvents } from '../../schemas/events/channel.ts';
import type { ChannelKeyId } from '../../schemas/ids.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { ChannelDocument, CHANNELS, type ChannelKeyDocument } from './tables.ts';

type ChannelEventType = ChannelEvent['type'];

const withKey = (keys: readonly ChannelKeyDocument[], keyId: ChannelKeyId, change: Partial<ChannelKeyDocument>): ChannelKeyDocument[] =>
  keys.map((key) => (key.keyId === keyId ? { ...key, ...change } : key));

const withRestored = (keys: readonly ChannelKeyDocument[], keyId: ChannelKeyId): ChannelKeyDocument[] =>
  keys.map((key) => {
    if (key.keyId !== keyId) return key;
    const { disabledBy: _, ...rest } = key;
    return { ...rest, enabled: true, disabledReason: null };
  });

/** What was seen of a channel's models is void once it is changed. */
const withoutFailures = ({ failingModels: _, ...doc }: ChannelDocument): ChannelDocument => doc;

const evolve = (doc: ChannelDocument | undefined, event: ProjectedEvent<ChannelEventType>): ChannelDocument | undefined => {
  const { type, data, revision, occurredAt } = event;
  if (type === 'ChannelAdded') {
    return {
      channelId: data.channelId,
      settings: data.settings,
      enabled: false,
      disabledBy: null,
      disabledReason: null,
      health: 'unknown',
      healthReason: null,
      healthSince: null,
      keys: [],
      lastTest: null,
      removed: false,
      addedAt: occurredAt,
      revision,
    };
  }
  if (doc === undefined) return undefined;
  switch (type) {
    case 'ChannelChanged': {
      const { provider, baseUrl } = data.settings;
      const kept = withoutFailures(doc);
      // Elsewhere there is another account.
      if (provider === doc.settings.provider && baseUrl === doc.settings.baseUrl) return { ...kept, settings: data.settings, revision };
      const { balance: _, ...rest } = kept;
      return { ...rest, settings: data.settings, revision };
    }
    case 'ChannelKeyAdded':
      return {
        ...doc,
        keys: [
          ...doc.keys.filter(({ keyId }) => keyId !== data.keyId),
          { keyId: data.keyId, secret: data.secret, hint: data.hint, enabled: true, disabledReason: null },
        ],
        revision,
      };
    case 'ChannelKeyDisabled':
      return {
        ...doc,
        keys: withKey(doc.keys, data.keyId, {
          enabled: false,
          disabledReason: data.reason,
          ...(data.by === undefined ? {} : { disabledBy: data.by }),
        }),
        revision,
      };
    case 'ChannelKeyRestored':
      return { ...doc, keys: withRestored(doc.keys, data.keyId), revision };
    case 'ChannelKeyRemoved':
      return { ...doc, keys: doc.keys.filter(({ keyId }) => keyId !== data.keyId), revision };
    case 'ChannelEnabled':
      return { ...withoutFailures(doc), enabled: true, disabledBy: null, disabledReason: null, revision };
    case 'ChannelDisabled':
      return { ...doc, enabled: false, disabledBy: data.by, disabledReason: data.reason, revision };
    case 'ChannelHealthChanged':
      return { ...doc, health: data.to, healthReason: data.reason, healthSince: occurredAt, revision };
    case 'ChannelModelHealthChanged': {
      const others = (doc.failingModels ?? []).filter(({ model }) => model !== data.model);
      const failingModels = data.to === 'failing' ? [...others, { model: data.model, reason: data.reason, since: occurredAt }] : others;
      return { ...doc, failingModels, revision };
    }
    case 'ChannelModelsDiscovered':
      return { ...doc, discovered: { count: data.models.length, at: occurredAt }, revision };
    case 'ChannelBalanceReported': {
      const { currency, amount, isLow } = data;
      return { ...doc, balance: { currency, amount, isLow, reportedAt: occurredAt }, revision };
    }
    case 'ChannelTested':
      return {
        ...doc,
        lastTest: { ok: data.ok, model: data.model, latencyMs: data.latencyMs, message: data.message, testedAt: occurredAt },
        revision,
      };
    case 'ChannelRemoved':
      return { ...doc, removed: true, enabled: false, disabledBy: null, disabledReason: null, keys: [], revision };
  }
};

/** Ways to upstreams, with their pools of sealed credentials. */
export const channels = documentProjection({
  ...CHANNELS,
  types: Object.keys(channelEvents) as readonly ChannelEventType[],
  schema: ChannelDocument,
  keyOf: ({ data }) => data.channelId,
  evolve,
});
