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
import { latencyAt, observe, type PeakEwma } from '../../domain/relay/peak-ewma.ts';
import { belongsTo } from '../../domain/relay/rendezvous.ts';
import type { z } from 'zod';
import type { ChannelHealth, ChannelSettings } from '../../schemas/events/channel.ts';
import type { ChannelId, ChannelKeyId } from '../../schemas/ids.ts';
import type { ChannelHealthObserver } from '../ports/channel-health.ts';
import type { DirectoryChannel, DirectoryChannelKey } from '../ports/directory.ts';
import type { Stopwatch } from '../ports/stopwatch.ts';
import { HealthWindow } from './health-window.ts';
import { KeyRests } from './key-rests.ts';
import type { RelayLimits } from './relay-limits.ts';

/** A channel, or one of its models, as far as it fails. */
interface Circuit {
  breaker: Breaker;
  /** What it was told to be, or believed to be because others told. */
  told: z.infer<typeof ChannelHealth>;
}

interface Seen extends Circuit {
  /** What was seen of a channel is void once somebody changes it. */
  readonly settings: ChannelSettings;
  /** When a call of this process succeeded or failed last, on the stopwatch. */
  judgedAt: number;
  cursor: number;
  readonly rests: KeyRests;
  /** Models that failed since they answered last; most channels have none. */
  models: Map<string, Circuit> | null;
  heardOfModels: readonly string[];
  /** The one model whose answers were failures since the channel answered last; `null`: several, or none. */
  failedModel: string | null;
  readonly window: HealthWindow;
}

/** What a channel is at, and how long it takes. Stays when its settings change: its calls do too. */
interface Load {
  inFlight: number;
  latency: PeakEwma | null;
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

/** More models than this of one channel do not fail by themselves; beyond it they are forgotten. */
const MOST_FAILING_MODELS = 1_000;

/**
 * What this process has seen of the channels, and heard of them from other processes through the log: who is failing, and with which model;
 * which keys rest, whose turn it is; what they are at.
 */
export class ChannelStates {
  readonly #stopwatch: Stopwatch;
  readonly #limits: Pick<RelayLimits, 'breaker' | 'errorRate' | 'keyRestMs' | 'longestKeyRestMs' | 'refusedKeyRestMs'>;
  readonly #observer: ChannelHealthObserver;
  readonly #seen = new Map<string, Seen>();
  readonly #loads = new Map<ChannelId, Load>();
  readonly #turns = new Map<string, number>();

  constructor(
    stopwatch: Stopwatch,
    limits: Pick<RelayLimits, 'breaker' | 'errorRate' | 'keyRestMs' | 'longestKeyRestMs' | 'refusedKeyRestMs'>,
    observer: ChannelHealthObserver,
  ) {
    this.#stopwatch = stopwatch;
    this.#limits = limits;
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
    const circuit = seen.models?.get(model);
    if (circuit !== undefined && !admits(circuit.breaker, now)) return 'model_circuit_open';
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
    return this.#loads.get(channelId)?.inFlight ?? 0;
  }

  latencyMs({ channelId }: DirectoryChannel): number | null {
    const latency = this.#loads.get(channelId)?.latency ?? null;
    return latency === null ? null : latencyAt(latency, this.#stopwatch.elapsed());
  }

  attempted(channel: DirectoryChannel, model: string): void {
    const seen = this.#of(channel);
    const now = this.#stopwatch.elapsed();
    seen.breaker = onAttempt(seen.breaker, now);
    const circuit = seen.models?.get(model);
    if (circuit !== undefined) circuit.breaker = onAttempt(circuit.breaker, now);
    this.#loadOf(channel).inFlight++;
  }

  /** Whatever became of an attempt, it is over. */
  ended(channel: DirectoryChannel): void {
    this.#loadOf(channel).inFlight--;
  }

  /** How long it took until an answer, or a stream, was there. */
  answeredAfter(channel: DirectoryChannel, ms: number): void {
    const load = this.#loadOf(channel);
    load.latency = observe(load.latency, ms, this.#stopwatch.elapsed());
  }

  /** The upstream began to answer: enough for a probe, which must not wait for a long stream to end. */
  answering(channel: DirectoryChannel, model: string): void {
    const seen = this.#of(channel);
    if (seen.breaker.state !== 'closed') {
      this.#close(channel, seen);
      seen.judgedAt = this.#stopwatch.elapsed();
    }
    if (seen.models !== null && seen.models.get(model)?.breaker.state !== 'closed') this.#closeModel(channel, seen, model);
  }

  succeeded(channel: DirectoryChannel, model: string, key: DirectoryChannelKey | null, ms: number): void {
    const seen = this.#of(channel);
    const now = this.#stopwatch.elapsed();
    seen.judgedAt = now;
    seen.failedModel = null;
    seen.window.add(now, false, ms);
    this.#close(channel, seen);
    this.#closeModel(channel, seen, model);
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
    if (!sole) this.#failModel(channel, seen, model, reason, now);
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
      failingModels: [...(models ?? [])].filter(([, circuit]) => circuit.breaker.state !== 'closed').map(([model]) => model),
      restingKeys: rests.count(now),
    };
  }

  #loadOf({ channelId }: DirectoryChannel): Load {
    let load = this.#loads.get(channelId);
    if (load === undefined) {
      load = { inFlight: 0, latency: null };
      this.#loads.set(channelId, load);
    }
    return load;
  }

  #of(channel: DirectoryChannel): Seen {
    const known = this.#seen.get(channel.channelId);
    if (known !== undefined && known.settings === channel.settings) {
      if (known.told !== channel.health) this.#hear(known, channel.health);
      if (known.heardOfModels !== channel.failingModels) this.#hearOfModels(known, channel.failingModels);
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
      models: null,
      heardOfModels: [],
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
    const before = seen.heardOfModels;
    seen.heardOfModels = failing;
    for (const model of failing) {
      const circuit = this.#circuitOf(seen, model);
      if (circuit.told === 'failing') continue;
      circuit.told = 'failing';
      circuit.breaker = onHearsay(circuit.breaker, 'failing', now, this.#limits.breaker);
    }
    for (const model of before) {
      const circuit = failing.includes(model) ? undefined : seen.models?.get(model);
      if (circuit === undefined || circuit.told !== 'failing') continue;
      circuit.told = 'healthy';
      circuit.breaker = onHearsay(circuit.breaker, 'healthy', now, this.#limits.breaker);
    }
  }

  #circuitOf(seen: Seen, model: string): Circuit {
    seen.models ??= new Map();
    let circuit = seen.models.get(model);
    if (circuit === undefined) {
      circuit = { breaker: CLOSED, told: 'unknown' };
      if (seen.models.size >= MOST_FAILING_MODELS) seen.models.clear();
      seen.models.set(model, circuit);
    }
    return circuit;
  }

  #failModel(channel: DirectoryChannel, seen: Seen, model: string, reason: string, now: number): void {
    const circuit = this.#circuitOf(seen, model);
    circuit.breaker = onFailure(circuit.breaker, now, this.#limits.breaker);
    if (circuit.breaker.state !== 'open' || circuit.told === 'failing') return;
    circuit.told = 'failing';
    this.#observer.modelHealthChanged(channel.channelId, model, 'failing', reason);
  }

  #closeModel(channel: DirectoryChannel, seen: Seen, model: string): void {
    const circuit = seen.models?.get(model);
    if (circuit === undefined) return;
    seen.models?.delete(model);
    if (circuit.told === 'failing') this.#observer.modelHealthChanged(channel.channelId, model, 'healthy', 'it answers');
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
