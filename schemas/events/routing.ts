import { z } from 'zod';

/** How one of several equal channels is chosen. `weighted` draws by weight; the others prefer, and draw by weight among equals. */
export const RoutingStrategy = z.enum(['weighted', 'round_robin', 'least_in_flight', 'lowest_latency', 'lowest_cost']);
export type RoutingStrategy = z.infer<typeof RoutingStrategy>;

/**
 * What of a call is kept on one channel, so that its provider's prompt cache is met again: the `prompt_cache_key` of the request, the session
 * that its headers name, or whoever it is made for.
 */
export const AffinityBy = z.enum(['prompt_cache_key', 'session', 'user']);
export type AffinityBy = z.infer<typeof AffinityBy>;

/** A name, or the beginning and the end of one with a `*` between them. */
export const NamePattern = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^*]*\*?[^*]*$/, 'has more than one *');

/** How calls of some models and some groups of users are routed. The first rule that fits a call holds. */
export const RoutingRule = z.object({
  /** `null`: every model. */
  models: z.array(NamePattern).min(1).max(200).nullable(),
  /** Groups of users; `null` is all of them. */
  groups: z.array(z.string().min(1).max(64)).min(1).max(100).nullable(),
  strategy: RoutingStrategy,
  /** In this order: the first that a call has is what it is kept by. None: it is not kept anywhere. */
  affinity: z.array(AffinityBy).max(3),
  /** A stream that has not begun after so many milliseconds is asked of a second channel too; whichever begins first serves. `null`: never. */
  hedgeMs: z.int().min(50).max(60_000).nullable(),
});
export type RoutingRule = z.infer<typeof RoutingRule>;

export const RoutingRules = z.array(RoutingRule).max(200);
export type RoutingRules = z.infer<typeof RoutingRules>;
