import type { z } from 'zod';
import { filteredBy } from '../../domain/relay/channel-filter.ts';
import type { Consideration, Hindrance } from '../../domain/relay/choose-channel.ts';
import { ModelMap, normalisedModel, type Mapped } from '../../domain/relay/model-mapping.ts';
import { routingFor } from '../../domain/relay/routing-rules.ts';
import { simulateRouting } from '../../domain/relay/simulate-routing.ts';
import type { ChannelView } from '../../schemas/http/channels.ts';
import type { RoutingRules } from '../../schemas/events/routing.ts';
import type { RoutingSimulated, RoutingVerdict, SimulatedFact, SimulateRouting } from '../../schemas/http/routing.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { RoutingSight } from '../ports/routing-sight.ts';

type Shown = z.output<typeof ChannelView>;
type Fact = z.output<typeof SimulatedFact>;
type Verdict = z.output<typeof RoutingVerdict>;

interface Simulant {
  readonly channelId: ChannelId;
  readonly settings: Shown['settings'];
  readonly shown: Shown;
  readonly mapped: Mapped;
  readonly hindrance: Hindrance | null;
  readonly inFlight: number;
  readonly latencyMs: number | null;
}

/** As a relay would see it that knows no more than the log. */
const onRecord = ({ health, failingModels = [], keys }: Shown, model: string): Hindrance | null => {
  if (health === 'failing') return 'circuit_open';
  if (failingModels.some((each) => each.model === model)) return 'model_circuit_open';
  return keys.length > 0 && keys.every(({ enabled }) => !enabled) ? 'no_key' : null;
};

const verdictOf = ({ shown: { enabled } }: Simulant, consideration: Consideration): Verdict =>
  !enabled ? 'off' : consideration.kind === 'hindered' ? consideration.by : consideration.kind;

/** The name under which the model is served: the one that was asked for, or the same but for capitals and the like. */
const servedName = (channels: readonly Shown[], asked: string): string => {
  const on = channels.filter(({ enabled }) => enabled);
  if (on.some(({ settings }) => new ModelMap(settings.models).get(asked) !== null)) return asked;
  const wanted = normalisedModel(asked);
  return on.flatMap(({ settings }) => settings.models).find(({ model }) => normalisedModel(model) === wanted)?.model ?? asked;
};

/** Where calls would go, by the very function that routes them, and why not elsewhere. `sight`: what the relay in this process sees. */
export const simulate = (
  asked: z.output<typeof SimulateRouting>,
  channels: readonly Shown[],
  rules: RoutingRules,
  sight: RoutingSight | null,
): z.output<typeof RoutingSimulated> => {
  const { group, endpoint, needs, draws, overlap, seed } = asked;
  const model = servedName(channels, asked.model);
  const routing = routingFor(rules, model, group);
  const granted = new Map<ChannelId, Fact>(asked.facts.map((fact) => [fact.channelId, fact]));
  const simulants = channels.flatMap((shown): Simulant[] => {
    const mapped = new ModelMap(shown.settings.models).get(model);
    if (mapped === null) return [];
    const fact = granted.get(shown.channelId);
    const seen = sight?.see(shown.channelId, model) ?? null;
    const { priority = shown.settings.priority, weight = shown.settings.weight } = fact ?? {};
    const now = seen === null ? onRecord(shown, model) : seen.hindrance;
    const hindrance: Hindrance | null =
      filteredBy(shown.settings, mapped.lacks, group, endpoint, needs) ?? (fact?.out === true || !shown.enabled ? 'tried' : now);
    return [
      {
        channelId: shown.channelId,
        settings: { ...shown.settings, priority, weight },
        shown,
        mapped,
        hindrance: fact?.out === false && hindrance === now ? null : hindrance,
        inFlight: fact?.inFlight ?? seen?.inFlight ?? 0,
        latencyMs: fact?.latencyMs === undefined ? (seen?.latencyMs ?? null) : fact.latencyMs,
      },
    ];
  });
  const strategy = asked.strategy ?? routing.strategy;
  const simulated = simulateRouting(
    simulants,
    {
      strategy,
      affinity: asked.affinity ?? null,
      hindrance: (each) => each.hindrance,
      inFlight: (each) => each.inFlight,
      latencyMs: (each) => each.latencyMs,
    },
    { draws, overlap, seed },
  );
  return {
    model,
    strategy,
    affinityBy: [...routing.affinity],
    hedgeMs: routing.hedgeMs,
    factsOf: sight === null ? 'record' : 'this_process',
    considered: simulated.considered.map(({ channel, consideration }) => ({
      channelId: channel.channelId,
      name: channel.settings.name,
      verdict: verdictOf(channel, consideration),
      odds: 'odds' in consideration ? consideration.odds : null,
      upstreamModel: channel.mapped.upstreamModel,
      priority: channel.settings.priority,
      weight: channel.settings.weight,
      costRatio: channel.settings.costRatio,
      inFlight: channel.inFlight,
      latencyMs: channel.latencyMs === null ? null : Math.round(channel.latencyMs),
      calls: simulated.counts.get(channel.channelId) ?? 0,
    })),
    draws,
    unserved: simulated.unserved,
  };
};
