import type { ChannelHealth } from '../../schemas/events/channel.ts';
import type { ChannelId, ChannelKeyId } from '../../schemas/ids.ts';

/** What is known of a channel, as far as it says whether somebody should try it. Instants as ISO 8601. */
export interface ChannelInCare {
  readonly channelId: ChannelId;
  readonly settings: { readonly testEveryMinutes?: number | undefined };
  readonly enabled: boolean;
  readonly disabledBy: 'operator' | 'platform' | null;
  readonly health: ChannelHealth;
  readonly keys: readonly {
    readonly keyId: ChannelKeyId;
    readonly enabled: boolean;
    readonly disabledBy?: 'operator' | 'platform' | null | undefined;
  }[];
  readonly lastTest: { readonly testedAt: string } | null;
}

/** A channel to be tried with one of its keys; `null`: with the first that is on, or without one where it has none. */
export interface DueTest {
  readonly channelId: ChannelId;
  readonly keyId: ChannelKeyId | null;
}

/** How often what is off or failing is tried, in milliseconds. */
export const RECOVERY_MS = 300_000;

/** Most keys of one channel that are tried at once. */
const MOST_KEYS = 3;

/**
 * What has to be tried now: what the platform took out of use, what fails, and what is to be tested although it works. What an operator
 * switched off is nobody's business.
 */
export const dueTests = (channel: ChannelInCare, now: number): readonly DueTest[] => {
  const { channelId, settings, enabled, disabledBy, health, keys, lastTest } = channel;
  const since = lastTest === null ? Infinity : now - Date.parse(lastTest.testedAt);
  if (!enabled && disabledBy !== 'platform') return [];
  const taken = keys.filter((key) => !key.enabled && key.disabledBy === 'platform');
  if (taken.length > 0 && since >= RECOVERY_MS) return taken.slice(0, MOST_KEYS).map(({ keyId }) => ({ channelId, keyId }));
  if (keys.length > 0 && keys.every((key) => !key.enabled)) return [];
  const everyMs =
    !enabled || health === 'failing'
      ? RECOVERY_MS
      : settings.testEveryMinutes === undefined
        ? Infinity
        : settings.testEveryMinutes * 60_000;
  return since >= everyMs && everyMs < Infinity ? [{ channelId, keyId: null }] : [];
};
