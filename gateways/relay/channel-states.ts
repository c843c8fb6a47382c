import {
  admits,
  CLOSED,
  onAttempt,
  onErrorRate,
  onFailure,
  onHearsay,
  onSuccess,
  restingUntil,
  type Breaker,
} from '../../domain/relay/breaker.ts';
import type { Hindrance } from '../../domain/relay/choose-channel.ts';
import { chooseKey } from '../../domain/relay/choose-key.ts';
import { isFailingRate, type RecentCalls } from '../../domain/relay/error-rate.ts';
import { belongsTo } from '../../domain/relay/rendezvous.ts';
import type { z } from 'zod';
import type { ChannelHealth, ChannelSettings } from '../../schemas/events/channel.ts';
import type { ChannelKeyId } from '../../schemas/ids.ts';
import type { ChannelHealthObserver } from '../ports/channel-health.ts';
import type { DirectoryChannel, DirectoryChannelKey } from '../ports/directory.ts';
import type { Stopwatch } from '../ports/stopwatch.ts';
import { ChannelLoads } from './channel-loads.ts';
import { HealthWindow } from './health-window.ts';
import { KeyRests } from './key-rests.ts';
import { ModelCircuits } from './model-circuits.ts';
import type { RelayLimits } from './relay-limits.ts';

/** What this process has seen of one channel. */
interface Seen {
  /** What was seen of a channel is void once somebody changes it. */
  readonly settings: ChannelSettings;
  breaker: Breaker;
  /** What others were told that it is, or told of it. */
  told: z.infer<typeof ChannelHealth>;
  /** When a call of this process succeeded or failed last, on the stopwatch. */
  judgedAt: number;
  cursor: number;
  readonly rests: KeyRests;
  readonly models: ModelCircuits;
  /** The one model whose answers were failures since the channel answered last; `null`: several, or none. */
  failedModel: string | null;
  readonly window: HealthWindow;
}

/** A channel may be called without a key only if it never had one. */
export type UsableKey = { readonly usable: true; readonly key: DirectoryChannelKey | null } | { readonly usable: false };

/** `silence`: nobody answered at all. `answer`: somebody did, with a failure. */
export type FailureKind = 'silence' | 'answer';

/** How a channel looks from this process. */
export interface ChannelSight extends RecentCalls {
  readonly inFlight: number;
  readonly latencyMs: number | null;
  readonly circuit: Breaker['state'];
  readonly failingModels: readonly string[];
  readonly restingKeys: number;
}

const NO_KEY: UsableKey = { usable: true, key: null };
const UNUSABLE: UsableKey = { usable: false };

/**
 * What this process has seen of the channels, and heard of them from other processes through the log: who is failing, and with which model;
 * which keys rest, whose turn it is; what they are at.
 */
export class ChannelStates {
  readonly #stopwatch: Stopwatch;
  readonly #limits: Pick<RelayLimits, 'breaker' | 'errorRate' | 'keyRestMs' | 'longestKeyRestMs' | 'refusedKeyRestMs'>;
  readonly #observer: ChannelHealthObserver;
  readonly #seen = new Map<string, Seen>();
  readonly #loads: ChannelLoads;
  readonly #turns = new Map<string, number>();

  constructor(
    stopwatch: Stopwatch,
    limits: Pick<RelayLimits, 'breaker' | 'errorRate' | 'keyRestMs' | 'longestKeyRestMs' | 'refusedKeyRestMs'>,
    observer: ChannelHealthObserver,
  ) {
    this.#stopwatch = stopwatch;
    this.#limits = limits;
    this.#loads = new ChannelLoads(stopwatch);
    this.#observer = observer;
  }

  /** Why the channel may not be called for the model now; `tried`: keys that this call has used. */
  hindrance(
    channel: DirectoryChannel,
    model: string,
    tried: ReadonlySet<ChannelKeyId> | null,
  ): Extract<Hindrance, 'circuit_open' | 'model_circuit_open' | 'no_key'> | null {
    const seen = this.#of(channel);
    const now = this.#stopwatch.elapsed();
    if (!admits(seen.breaker, now)) return 'circuit_open';
    if (!seen.models.admits(model, now)) return 'model_circuit_open';
    if (channel.keys.length === 0) return null;
    for (const key of channel.keys) if (this.#mayUse(seen, key, tried, now)) return null;
    return 'no_key';
  }

  /** The key for the next call: where its affinity is, else in turn or by `random`, as the channel has it. */
  nextKey(channel: DirectoryChannel, tried: ReadonlySet<ChannelKeyId> | null, affinity: string | null, random: number): UsableKey {
    const { keys, settings } = channel;
    if (keys.length === 0) return NO_KEY;
    const seen = this.#of(channel);
    const now = this.#stopwatch.elapsed();
    const [only] = keys;
    if (only !== undefined && keys.length === 1) {
      seen.cursor = 0;
      return this.#mayUse(seen, only, tried, now) ? { usable: true, key: only } : UNUSABLE;
    }
    if (affinity !== null) {
      const usable = keys.filter((key) => this.#mayUse(seen, key, tried, now));
      const key = belongsTo(
        usable,
        affinity,
        ({ keyId }) => keyId,
        () => 1,
      );
      return key === null ? UNUSABLE : { usable: true, key };
    }
    const cursor = settings.keyOrder === 'random' ? Math.floor(random * keys.length) : seen.cursor;
    const chosen = chooseKey(keys, cursor, (key) => this.#mayUse(seen, key, tried, now));
    if (chosen === null) return UNUSABLE;
    seen.cursor = chosen.index;
    return { usable: true, key: chosen.key };
  }

  /** Counts the calls of a model, for those who take turns. */
  turn(model: string): number {
    const turn = this.#turns.get(model) ?? 0;
    if (this.#turns.size > 10_000) this.#turns.clear();
    this.#turns.set(model, turn + 1);
    return turn;
  }

  inFlight({ channelId }: DirectoryChannel): number {
    return this.#loads.inFlight(channelId);
  }

  latencyMs({ channelId }: DirectoryChannel): number | null {
    return this.#loads.latencyMs(channelId);
  }

  attempted(channel: DirectoryChannel, model: string): void {
    const seen = this.#of(channel);
    const now = this.#stopwatch.elapsed();
    seen.breaker = onAttempt(seen.breaker, now);
    seen.models.attempted(model, now);
    this.#loads.began(channel.channelId);
  }

  /** Whatever became of an attempt, it is over. */
  ended({ channelId }: DirectoryChannel): void {
    this.#loads.ended(channelId);
  }

  /** How long it took until an answer, or a stream, was there. */
  answeredAfter({ channelId }: DirectoryChannel, ms: number): void {
    this.#loads.took(channelId, ms);
  }

  /** The upstream began to answer: enough for a probe, which must not wait for a long stream to end. */
  answering(channel: DirectoryChannel, model: string): void {
    const seen = this.#of(channel);
    if (seen.breaker.state !== 'closed') {
      this.#close(channel, seen);
      seen.judgedAt = this.#stopwatch.elapsed();
    }
    if (seen.models.isFailing(model)) this.#modelAnswered(channel, seen, model);
  }

  succeeded(channel: DirectoryChannel, model: string, key: DirectoryChannelKey | null, ms: number): void {
    const seen = this.#of(channel);
    const now = this.#stopwatch.elapsed();
    seen.judgedAt = now;
    seen.failedModel = null;
    seen.window.add(now, false, ms);
    this.#close(channel, seen);
    this.#modelAnswered(channel, seen, model);
    if (key !== null) seen.rests.works(key.keyId);
  }

  /**
   * A failure counts against the model, and against the channel as well unless it is this model alone that fails there: a channel whose
   * other models work is not taken from them.
   */
  failed(channel: DirectoryChannel, model: string, kind: FailureKind, reason: string): void {
    const seen = this.#of(channel);
    const now = this.#stopwatch.elapsed();
    const { breaker: policy, errorRate } = this.#limits;
    seen.judgedAt = now;
    seen.window.add(now, true, 0);

    const sole = channel.settings.models.length === 1;
    if (!sole && seen.models.failed(model, now)) this.#observer.modelHealthChanged(channel.channelId, model, 'failing', reason);
    const alone =
      kind === 'answer' && !sole && (seen.failedModel === null || seen.failedModel === model) && seen.breaker.state === 'closed';
    seen.failedModel = model;
    if (alone) return;
    seen.breaker = onFailure(seen.breaker, now, policy);
    if (isFailingRate(seen.window.sum(now), errorRate)) {
      seen.breaker = onErrorRate(seen.breaker, now, policy);
      // What was counted has had its effect.
      seen.window.clear();
    }
    if (seen.breaker.state === 'open') this.#tell(channel, seen, 'failing', reason);
  }

  /** `forMs`: what the upstream asked for, or `null`: then it rests twice as long each time in a row. */
  keyLimited(channel: DirectoryChannel, key: DirectoryChannelKey | null, forMs: number | null): void {
    if (key === null) return;
    const { keyRestMs, longestKeyRestMs } = this.#limits;
    const times = this.#of(channel).rests.times(key.keyId);
    this.#rest(channel, key, forMs ?? Math.min(longestKeyRestMs, keyRestMs * 2 ** Math.min(times, 20)));
  }

  keySpent(channel: DirectoryChannel, key: DirectoryChannelKey | null): void {
    if (key !== null) this.#rest(channel, key, this.#limits.refusedKeyRestMs);
  }

  keyRefused(channel: DirectoryChannel, key: DirectoryChannelKey | null, reason: string): void {
    if (key === null) return;
    this.#rest(channel, key, this.#limits.refusedKeyRestMs);
    this.#observer.keyRefused(channel.channelId, key.keyId, reason);
  }

  /** Nobody calls it until it is put back on: this process from now, the others as soon as they read of it. */
  channelRefused(channel: DirectoryChannel, reason: string): void {
    const seen = this.#of(channel);
    seen.breaker = restingUntil(this.#stopwatch.elapsed() + this.#limits.breaker.rest, this.#limits.breaker);
    this.#observer.channelRefused(channel.channelId, reason);
  }

  /** Whole seconds until one of the channels might be tried again; at least one. */
  secondsUntilReady(channels: readonly DirectoryChannel[]): number {
    const now = this.#stopwatch.elapsed();
    let soonest = Infinity;
    for (const channel of channels) {
      const { breaker, rests } = this.#of(channel);
      const opens = breaker.state === 'open' ? breaker.until : breaker.state === 'probing' ? breaker.since + breaker.rest : now;
      const keys = channel.keys.filter(({ enabled }) => enabled).map(({ keyId }) => rests.until(keyId) ?? now);
      soonest = Math.min(soonest, Math.max(opens, keys.length === 0 ? now : Math.min(...keys)));
    }
    return Number.isFinite(soonest) ? Math.max(1, Math.ceil((soonest - now) / 1_000)) : 1;
  }

  /** For people to look at. */
  sight(channel: DirectoryChannel): ChannelSight {
    const { breaker, models, rests, window } = this.#of(channel);
    const now = this.#stopwatch.elapsed();
    const latency = this.latencyMs(channel);
    return {
      ...window.sum(now),
      inFlight: this.inFlight(channel),
      latencyMs: latency === null ? null : Math.round(latency),
      circuit: breaker.state,
      failingModels: models.failing(),
      restingKeys: rests.count(now),
    };
  }

  #of(channel: DirectoryChannel): Seen {
    const known = this.#seen.get(channel.channelId);
    if (known !== undefined && known.settings === channel.settings) {
      if (known.told !== channel.health) this.#hear(known, channel.health);
      if (!known.models.hasHeard(channel.failingModels)) this.#hearOfModels(known, channel.failingModels);
      return known;
    }
    const breaker = channel.health === 'failing' ? restingUntil(this.#stopwatch.elapsed(), this.#limits.breaker) : CLOSED;
    const seen: Seen = {
      settings: channel.settings,
      breaker,
      told: channel.health,
      judgedAt: -Infinity,
      cursor: -1,
      rests: new KeyRests(),
      models: new ModelCircuits(this.#limits.breaker),
      failedModel: null,
      window: new HealthWindow(this.#limits.errorRate.windowMs),
    };
    this.#seen.set(channel.channelId, seen);
    this.#hearOfModels(seen, channel.failingModels);
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

  #hearOfModels(seen: Seen, failing: readonly string[]): void {
    const now = this.#stopwatch.elapsed();
    if (now - seen.judgedAt < this.#limits.breaker.rest) return;
    seen.models.hear(failing, now);
  }

  #modelAnswered(channel: DirectoryChannel, seen: Seen, model: string): void {
    if (seen.models.answered(model)) this.#observer.modelHealthChanged(channel.channelId, model, 'healthy', 'it answers');
  }

  #close(channel: DirectoryChannel, seen: Seen): void {
    seen.breaker = onSuccess(seen.breaker);
    this.#tell(channel, seen, 'healthy', 'it answers');
  }

  #mayUse(seen: Seen, key: DirectoryChannelKey, tried: ReadonlySet<ChannelKeyId> | null, now: number): boolean {
    return key.enabled && (tried === null || !tried.has(key.keyId)) && !seen.rests.isResting(key, now);
  }

  #rest(channel: DirectoryChannel, key: DirectoryChannelKey, forMs: number): void {
    this.#of(channel).rests.rest(key, this.#stopwatch.elapsed() + forMs);
  }

  #tell(channel: DirectoryChannel, seen: Seen, health: 'healthy' | 'failing', reason: string): void {
    if (seen.told === health) return;
    const from = seen.told;
    seen.told = health;
    this.#observer.healthChanged(channel.channelId, from, health, reason);
  }
}
