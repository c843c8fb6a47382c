import { z } from 'zod';
import { AttemptId, ChannelId, ChannelKeyId, LeaseId, PriceListId, RequestId, TokenId, UserId } from '../ids.ts';
import { AmountText } from '../money.ts';
import { Ratio } from '../price.ts';
import { Day, Instant } from '../time.ts';
import { Usage } from '../usage.ts';

/** One try of one channel for one call. */
export const Attempt = z.object({
  attemptId: AttemptId,
  channelId: ChannelId,
  channelKeyId: ChannelKeyId.nullable(),
  outcome: z.enum(['answered', 'refused', 'failed', 'timed_out', 'aborted']),
  /** The upstream's HTTP status; `null` when no answer came. */
  status: z.int().nullable(),
  durationMs: z.int().nonnegative(),
  /** What the upstream is known to have produced in an attempt that failed all the same: it may bill us for it. */
  billedUsage: Usage.optional(),
});
export type Attempt = z.infer<typeof Attempt>;

/** What kind of call it was and how it went: the row of a request log. */
export const CallFacts = z.object({
  dialect: z.enum(['openai', 'anthropic', 'gemini', 'responses', 'cohere', 'mistral', 'ollama', 'bedrock']),
  endpoint: z.enum([
    'chat',
    'embeddings',
    'completions',
    'moderations',
    'rerank',
    'images',
    'image_edits',
    'image_variations',
    'speech',
    'transcriptions',
    'translations',
    'pass_through',
    'batches',
    'videos',
    'music',
    'midjourney',
    'realtime',
  ]),
  streamed: z.boolean(),
  /** HTTP status that our client was given. */
  status: z.int(),
  startedAt: Instant,
  firstByteMs: z.int().nonnegative().nullable(),
  durationMs: z.int().nonnegative(),
  /** From the error table; absent when all went well. */
  errorCode: z.string().max(64).optional(),
  attempts: z.array(Attempt).max(64),
});
export type CallFacts = z.infer<typeof CallFacts>;

/**
 * How sure a charge is. `reported`: by the upstream's own usage. `estimated`: the upstream sent none, so tokens were
 * counted here. `held`: what came was not to be believed (negative, not a number), so the hold itself was charged and flagged.
 */
export const ChargeBasis = z.enum(['reported', 'estimated', 'held']);
export type ChargeBasis = z.infer<typeof ChargeBasis>;

/** `unused`: money that was set aside ahead, for what did not come to pass. */
export const ReleaseReason = z.enum(['upstream_failed', 'client_left', 'refused', 'holder_lost', 'shutdown', 'unused']);
export type ReleaseReason = z.infer<typeof ReleaseReason>;

export const leaseEvents = {
  LeaseOpened: z.object({ leaseId: LeaseId, userId: UserId, tokenId: TokenId, amount: AmountText, day: Day }),
  QuotaReserved: z.object({
    leaseId: LeaseId,
    userId: UserId,
    tokenId: TokenId,
    requestId: RequestId,
    model: z.string().max(200),
    priceListId: PriceListId,
    amount: AmountText,
  }),
  QuotaDebited: z.object({
    leaseId: LeaseId,
    userId: UserId,
    tokenId: TokenId,
    requestId: RequestId,
    model: z.string().max(200),
    channelId: ChannelId,
    attemptId: AttemptId,
    priceListId: PriceListId,
    groupRatio: Ratio,
    usage: Usage,
    basis: ChargeBasis,
    /** What the wallet pays; at most the hold. */
    amount: AmountText,
    /** What the rule came to; above `amount` when the upstream billed more than was held. */
    computed: AmountText,
    /** What the upstream is reckoned to charge us. */
    upstreamCost: AmountText,
    call: CallFacts,
  }),
  QuotaReleased: z.object({
    leaseId: LeaseId,
    userId: UserId,
    tokenId: TokenId,
    requestId: RequestId,
    model: z.string().max(200),
    reason: ReleaseReason,
    /** True when an upstream may have billed us for a call that was charged to nobody. */
    reconcile: z.boolean(),
    /** Absent when the holder died and nobody can tell. */
    call: CallFacts.optional(),
  }),
  /** The holder is alive and calls still run: sweepers wait until this time. */
  LeaseExtended: z.object({ leaseId: LeaseId, expiresAt: Instant }),
  LeaseClosed: z.object({
    leaseId: LeaseId,
    userId: UserId,
    tokenId: TokenId,
    spent: AmountText,
    reason: z.enum(['spent', 'idle', 'ended', 'recalled', 'shutdown', 'holder_lost']),
  }),
} as const;
