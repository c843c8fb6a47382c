import { admits, CLOSED, onAttempt, onFailure, onHearsay, onSuccess, restingUntil, type Breaker } from '../../domain/relay/breaker.ts';
import { chooseKey } from '../../domain/relay/choose-key.ts';
import type { z } from 'zod';
import type { ChannelHealth, ChannelSettings } from '../../schemas/events/channel.ts';
import type { ChannelKeyId } from '../../schemas/ids.ts';
import type { ChannelHealthObserver } from '../ports/channel-health.ts';
import type { DirectoryChannel, DirectoryChannelKey } from '../ports/directory.ts';
import type { Stopwatch } from '../ports/stopwatch.ts';
import type { RelayLimits } from './relay-limits.ts';

interface Seen {
  /** What was seen of a channel is void once somebody changes it. */
  readonly settings: ChannelSettings;
  breaker: Breaker;
  /** What it was told to be, or believed to be because others told. */
  told: z.infer<typeof ChannelHealth>;
  /** When a call of this process succeeded or failed last, on the stopwatch. */
  judgedAt: number;
  cursor: number;
  /** Until when a key is not to be used, on the stopwatch. */
  readonly resting: Map<ChannelKeyId, number>;
}

/** A channel may be called without a key only if it never had one. */
export type UsableKey = { readonly usable: true; readonly key: DirectoryChannelKey | null } | { readonly usable: false };

const NO_KEY: UsableKey = { usable: true, key: null };
const UNUSABLE: UsableKey = { usable: false };

/**
 * What this process has seen of the channels, and heard of them from other processes through the log: who is failing, which keys rest, whose
 * turn it is.
 */
export class ChannelStates {
  readonly #stopwatch: Stopwatch;
  readonly #limits: Pick<RelayLimits, 'breaker' | 'keyRestMs' | 'refusedKeyRestMs'>;
  readonly #observer: ChannelHealthObserver;
  readonly #seen = new Map<string, Seen>();

  constructor(
    stopwatch: Stopwatch,
    limits: Pick<RelayLimits, 'breaker' | 'keyRestMs' | 'refusedKeyRestMs'>,
    observer: ChannelHealthObserver,
  ) {
    this.#stopwatch = stopwatch;
    this.#limits = limits;
    this.#observer = observer;
  }

  admits(channel: DirectoryChannel): boolean {
    return admits(this.#of(channel).breaker, this.#stopwatch.elapsed());
  }

  hasKey(channel: DirectoryChannel, tried: ReadonlySet<ChannelKeyId> | null): boolean {
    if (channel.keys.length === 0) return true;
    const seen = this.#of(channel);
    return channel.keys.some((key) => this.#mayUse(seen, key, tried));
  }

  /** The next key in turn. */
  nextKey(channel: DirectoryChannel, tried: ReadonlySet<ChannelKeyId> | null): UsableKey {
    if (channel.keys.length === 0) return NO_KEY;
    const seen = this.#of(channel);
    const chosen = chooseKey(channel.keys, seen.cursor, (key) => this.#mayUse(seen, key, tried));
    if (chosen === null) return UNUSABLE;
    seen.cursor = chosen.index;
    return { usable: true, key: chosen.key };
  }

  attempted(channel: DirectoryChannel): void {
    const seen = this.#of(channel);
    seen.breaker = onAttempt(seen.breaker, this.#stopwatch.elapsed());
  }

  /** The upstream began to answer: enough for a probe, which must not wait for a long stream to end. */
  answering(channel: DirectoryChannel): void {
    if (this.#of(channel).breaker.state !== 'closed') this.succeeded(channel);
  }

  succeeded(channel: DirectoryChannel): void {
    const seen = this.#of(channel);
    seen.judgedAt = this.#stopwatch.elapsed();
    seen.breaker = onSuccess(seen.breaker);
    this.#tell(channel, seen, 'healthy', 'it answers');
  }

  failed(channel: DirectoryChannel, reason: string): void {
    const seen = this.#of(channel);
    seen.judgedAt = this.#stopwatch.elapsed();
    seen.breaker = onFailure(seen.breaker, this.#stopwatch.elapsed(), this.#limits.breaker);
    if (seen.breaker.state === 'open') this.#tell(channel, seen, 'failing', reason);
  }

  /** `forMs`: what the upstream asked for, or `null`. */
  keyLimited(channel: DirectoryChannel, key: DirectoryChannelKey | null, forMs: number | null): void {
    if (key !== null) this.#rest(channel, key, forMs ?? this.#limits.keyRestMs);
  }

  keySpent(channel: DirectoryChannel, key: DirectoryChannelKey | null): void {
    if (key !== null) this.#rest(channel, key, this.#limits.refusedKeyRestMs);
  }

  keyRefused(channel: DirectoryChannel, key: DirectoryChannelKey | null, reason: string): void {
    if (key === null) return;
    this.#rest(channel, key, this.#limits.refusedKeyRestMs);
    this.#observer.keyRefused(channel.channelId, key.keyId, reason);
  }

  /** Whole seconds until one of the channels might be tried again; at least one. */
  secondsUntilReady(channels: readonly DirectoryChannel[]): number {
    const now = this.#stopwatch.elapsed();
    let soonest = Infinity;
    for (const channel of channels) {
      const { breaker, resting } = this.#of(channel);
      const opens = breaker.state === 'open' ? breaker.until : breaker.state === 'probing' ? breaker.since + breaker.rest : now;
      const keys = channel.keys.filter(({ enabled }) => enabled).map(({ keyId }) => resting.get(keyId) ?? now);
      soonest = Math.min(soonest, Math.max(opens, keys.length === 0 ? now : Math.min(...keys)));
    }
    return Number.isFinite(soonest) ? Math.max(1, Math.ceil((soonest - now) / 1_000)) : 1;
  }

  #of(channel: DirectoryChannel): Seen {
    const known = this.#seen.get(channel.channelId);
    if (known !== undefined && known.settings === channel.settings) {
      if (known.told !== channel.health) this.#hear(known, channel.health);
      return known;
    }
    const breaker = channel.health === 'failing' ? restingUntil(this.#stopwatch.elapsed(), this.#limits.breaker) : CLOSED;
    const seen: Seen = {
      settings: channel.settings,
      breaker,
      told: channel.health,

      judgedAt: -Infinity,
      cursor: -1,
      resting: new Map(),
    };
    this.#seen.set(channel.channelId, seen);
    return seen;
  }

  /** Others' word counts where there is no fresh experience of one's own: so a process that is cut off takes nobody's channels away. */
  #hear(seen: Seen, health: z.infer<typeof ChannelHealth>): void {
    if (health === 'unknown') return;
    const now = this.#stopwatch.elapsed();
    if (now - seen.judgedAt < this.#limits.breaker.rest) return;
    seen.told = health;
    seen.breaker = onHearsay(seen.breaker, health, now, this.#limits.breaker);
  }

  #mayUse(seen: Seen, key: DirectoryChannelKey, tried: ReadonlySet<ChannelKeyId> | null): boolean {
    if (!key.enabled) {
      // Whoever enables it again has seen to it.
      seen.resting.delete(key.keyId);
      return false;
    }
    if (tried !== null && tried.has(key.keyId)) return false;
    const until = seen.resting.get(key.keyId);
    if (until === undefined) return true;
    if (this.#stopwatch.elapsed() < until) return false;
    seen.resting.delete(key.keyId);
    return true;
  }

  #rest(channel: DirectoryChannel, key: DirectoryChannelKey, forMs: number): void {
    const until = this.#stopwatch.elapsed() + forMs;
    const { resting } = this.#of(channel);
    if (until > (resting.get(key.keyId) ?? 0)) resting.set(key.keyId, until);
  }

  #tell(channel: DirectoryChannel, seen: Seen, health: 'healthy' | 'failing', reason: string): void {
    if (seen.told === health) return;
    const from = seen.told;
    seen.told = health;
    this.#observer.healthChanged(channel.channelId, from, health, reason);
  }
}
