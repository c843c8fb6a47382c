import { z } from 'zod';
import { Capability } from '../events/channel.ts';
import { AffinityBy, RoutingRules, RoutingStrategy } from '../events/routing.ts';
import { ChannelId } from '../ids.ts';
import { Instant } from '../time.ts';
import { AfterQuery } from './wire.ts';

export const RoutingRulesQuery = z.object(AfterQuery);

/** `revision` is for `If-Match`; absent where no rules were ever set. */
export const RoutingRulesView = z.object({ rules: RoutingRules, changedAt: Instant.nullable(), revision: z.int().optional() });

export const SetRoutingRules = z.object({ rules: RoutingRules });

/** What of a channel is to be taken for granted in place of what is known of it. */
export const SimulatedFact = z.object({
  channelId: ChannelId,
  /** It failed in this call, or is out for another reason. */
  out: z.boolean().optional(),
  inFlight: z.int().min(0).max(1_000_000).optional(),
  latencyMs: z.number().min(0).max(3_600_000).nullable().optional(),
  weight: z.int().min(0).max(10_000).optional(),
  priority: z.int().min(-1_000).max(1_000).optional(),
});

export const SimulateRouting = z.object({
  model: z.string().min(1).max(200),
  group: z.string().min(1).max(64).default('default'),
  endpoint: z.string().min(1).max(40).default('chat'),
  needs: z.array(Capability).max(10).default([]),
  /** What keeps the calls together, such as their `prompt_cache_key`. */
  affinity: z.string().min(1).max(256).optional(),
  /** In place of what the rules say. */
  strategy: RoutingStrategy.optional(),
  draws: z.int().min(1).max(200_000).default(1),
  /** How many of the calls are in flight at once, beside the first. */
  overlap: z.int().min(0).max(10_000).default(0),
  seed: z.int().min(0).max(4_294_967_295).default(1),
  facts: z.array(SimulatedFact).max(500).default([]),
});

/** What became of a channel for the first call, and why. */
export const RoutingVerdict = z.enum([
  'chosen',
  'not_drawn',
  'outdone',
  'last_resort',
  'lower_priority',
  'off',
  'tried',
  'other_group',
  'other_endpoint',
  'provider_lacks',
  'lacks_capability',
  'circuit_open',
  'model_circuit_open',
  'no_key',
  'no_address',
]);

export const ConsideredChannel = z.object({
  channelId: ChannelId,
  name: z.string(),
  verdict: RoutingVerdict,
  /** Of this choice, for whoever was in the draw. */
  odds: z.number().nullable(),
  upstreamModel: z.string(),
  priority: z.int(),
  weight: z.int(),
  costRatio: z.int(),
  inFlight: z.int(),
  latencyMs: z.number().nullable(),
  /** Of all the draws. */
  calls: z.int(),
});

export const RoutingSimulated = z.object({
  /** The name under which the model is served. */
  model: z.string(),
  strategy: RoutingStrategy,
  affinityBy: z.array(AffinityBy),
  hedgeMs: z.int().nullable(),
  /** Whether what a relay in the answering process sees is in it, or only what is on record. */
  factsOf: z.enum(['this_process', 'record']),
  considered: z.array(ConsideredChannel),
  draws: z.int(),
  unserved: z.int(),
});
