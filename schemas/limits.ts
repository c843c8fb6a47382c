import { z } from 'zod';
import { AmountText } from './money.ts';

/** What shares one allowance: each key has its own, each user, each address, each group of users, each model, or a combination of them. */
export const LimitDimension = z.enum(['key', 'user', 'ip', 'group', 'model']);
export type LimitDimension = z.infer<typeof LimitDimension>;

export const LimitWindow = z.enum(['second', 'minute', 'hour', 'day', 'month']);
export type LimitWindow = z.infer<typeof LimitWindow>;

const Names = z.array(z.string().trim().min(1).max(200)).min(1).max(500);

/** Which calls a rule is for; a member that is absent asks for nothing. */
export const LimitScope = z.object({
  users: Names.optional(),
  keys: Names.optional(),
  groups: Names.optional(),
  /** With `*` for any characters. */
  models: Names.optional(),
  /** Addresses and ranges. */
  addresses: Names.optional(),
});
export type LimitScope = z.infer<typeof LimitScope>;

/** What becomes of a call for which nothing is left. */
export const LimitAction = z.discriminatedUnion('kind', [
  /** `message`: what the client reads instead of our own sentence. */
  z.object({ kind: z.literal('refuse'), message: z.string().trim().min(1).max(500).optional() }),
  /** It waits its turn, in each process among so many and for so long, and is refused after that. */
  z.object({ kind: z.literal('wait'), mostWaiting: z.int().min(1).max(10_000), longestMs: z.int().min(1).max(600_000) }),
  /** It is served by another model, under that model’s own limits and price. */
  z.object({ kind: z.literal('model'), model: z.string().min(1).max(200) }),
]);
export type LimitAction = z.infer<typeof LimitAction>;

const identity = {
  /** Stays the same when the rule changes: what was counted is counted under it. */
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'is not of lower case letters, digits and hyphens'),
  name: z.string().trim().min(1).max(100),
  enabled: z.boolean().default(true),
  per: z.array(LimitDimension).max(3),
  scope: LimitScope.default({}),
  action: LimitAction.default({ kind: 'refuse' }),
};

const counted = {
  window: LimitWindow,
  /**
   * `slidingWindow`: so much in any stretch of that length. `tokenBucket`: refills steadily and lets up to `burst` through at once.
   * `leakyBucket`: lets calls through evenly, with only `burst` ahead of time.
   */
  algorithm: z.enum(['slidingWindow', 'tokenBucket', 'leakyBucket']).default('slidingWindow'),
  burst: z.int().positive().max(1_000_000_000_000).optional(),
};

const Count = z.int().positive().max(1_000_000_000_000);

/** So much of something in so long, for everybody whom it is for. */
export const LimitRule = z.discriminatedUnion('measure', [
  z.object({ ...identity, ...counted, measure: z.literal('requests'), amount: Count }),
  z.object({ ...identity, ...counted, measure: z.literal('inputTokens'), amount: Count }),
  z.object({ ...identity, ...counted, measure: z.literal('outputTokens'), amount: Count }),
  z.object({ ...identity, ...counted, measure: z.literal('tokens'), amount: Count }),
  /** Nano-dollars, at least a micro-dollar: that is what is counted. */
  z.object({ ...identity, ...counted, measure: z.literal('money'), amount: AmountText }),
  /** Calls at once; there is no window. */
  z.object({ ...identity, measure: z.literal('inFlight'), amount: Count }),
]);
export type LimitRule = z.infer<typeof LimitRule>;

export const LimitPolicy = z.object({
  rules: z.array(LimitRule).max(200),
  /** While processes cannot reach what they count in together: each counts for itself, or calls that a rule is for are refused. */
  whenStoreAway: z.enum(['perProcess', 'refuse']),
});
export type LimitPolicy = z.infer<typeof LimitPolicy>;

export const NO_LIMITS: LimitPolicy = { rules: [], whenStoreAway: 'perProcess' };
