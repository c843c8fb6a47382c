import { z } from 'zod';
import { Attempt, ChargeBasis, ReleaseReason } from '../events/lease.ts';
import { ChannelId, LeaseId, PriceListId, RequestId, TokenId, UserId } from '../ids.ts';
import { AmountText } from '../money.ts';
import { Instant } from '../time.ts';
import { Usage } from '../usage.ts';
import { AfterQuery, Count, PageQuery, PositionText, RangeQuery, ScopeQuery, pageOf } from './wire.ts';

/** `running`: set aside, no end yet. `charged`: paid for. `released`: nothing was charged. */
export const RequestState = z.enum(['running', 'charged', 'released']);

export const RequestRow = z.object({
  requestId: RequestId,
  state: RequestState,
  userId: UserId,
  tokenId: TokenId,
  tokenName: z.string().nullable(),
  model: z.string(),
  endpoint: z.string().nullable(),
  streamed: z.boolean().nullable(),
  status: z.int().nullable(),
  errorCode: z.string().nullable(),
  startedAt: Instant,
  firstByteMs: z.int().nullable(),
  durationMs: z.int().nullable(),
  inputTokens: z.int(),
  cachedTokens: z.int(),
  outputTokens: z.int(),
  amount: AmountText,
  basis: ChargeBasis.nullable(),
  attempts: z.int(),
  channelId: ChannelId.nullable(),
  /** For administrators; `null` to everybody else. */
  upstreamCost: AmountText.nullable(),
});

export const RequestFilters = {
  ...RangeQuery,
  ...ScopeQuery,
  userId: UserId.optional(),
  tokenId: TokenId.optional(),
  channelId: ChannelId.optional(),
  model: z.string().max(200).optional(),
  endpoint: z.string().max(50).optional(),
  state: RequestState.optional(),
  /** `ok`: a status below 400. */
  result: z.enum(['ok', 'failed']).optional(),
  errorCode: z.string().max(64).optional(),
  /** The beginning of a request id. */
  search: z.string().max(100).optional(),
};

/** Newest first. */
export const RequestQuery = z.object({ ...PageQuery, ...RequestFilters });
export const RequestPage = pageOf(RequestRow);

export const RequestHistogramQuery = z.object({ ...AfterQuery, ...RequestFilters, buckets: Count(240).optional() });
export const RequestHistogram = z.object({
  from: Instant,
  to: Instant,
  stepMs: z.int(),
  buckets: z.array(z.object({ start: Instant, ok: z.int(), failed: z.int(), spend: AmountText })),
});

export const RequestDetail = z.object({
  request: RequestRow,
  leaseId: LeaseId,
  priceListId: PriceListId.nullable(),
  held: AmountText,
  usage: Usage.nullable(),
  releaseReason: ReleaseReason.nullable(),
  reconcile: z.boolean(),
  /** In order of trying. Channel ids are for administrators too, and to nobody else's harm. */
  attempts: z.array(Attempt),
  /** The facts in the log that this is made of. */
  events: z.array(z.object({ position: PositionText, type: z.string(), recordedAt: Instant })),
});

/** Server-sent events: `event: request` with a {@link RequestRow}, `id:` its position; a client resumes with `Last-Event-ID`. */
export const RequestTailQuery = z.object({
  ...ScopeQuery,
  model: z.string().max(200).optional(),
  tokenId: TokenId.optional(),
  result: z.enum(['ok', 'failed']).optional(),
});
