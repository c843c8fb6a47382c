import { z } from 'zod';
import { BatchId, ChannelId, ChannelKeyId, FileId, LeaseId, PriceListId, RequestId, TokenId, UserId } from '../ids.ts';
import { AmountText } from '../money.ts';
import { ModelPrice, Ratio } from '../price.ts';
import { Instant } from '../time.ts';
import { Usage } from '../usage.ts';

/** Where the requests of a batch go, as its client names it. */
export const BatchEndpoint = z.enum([
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/moderations',
  '/v1/responses',
  /** A batch of Anthropic’s, whose requests come with it. */
  '/v1/messages',
]);
export type BatchEndpoint = z.infer<typeof BatchEndpoint>;

export const BatchEnd = z.enum(['completed', 'failed', 'expired', 'cancelled']);
export type BatchEnd = z.infer<typeof BatchEnd>;

export const batchEvents = {
  /** Before anything is charged and asked: so that whatever becomes of it, there is somewhere to look. */
  BatchSubmitted: z.object({
    batchId: BatchId,
    userId: UserId,
    tokenId: TokenId,
    /** `null`: its requests came with it. */
    inputFileId: FileId.nullable(),
    channelId: ChannelId,
    channelKeyId: ChannelKeyId.nullable(),
    endpoint: BatchEndpoint,
    window: z.string().max(16),
    requests: z.int().nonnegative(),
    leaseId: LeaseId,
    requestId: RequestId,
    /** Its worst case. */
    held: AmountText,
    priceListId: PriceListId,
    /** What its requests are charged by, whenever that will be. */
    price: ModelPrice,
    /** The caller's share of the price, times the share that is left in a batch. */
    ratio: Ratio,
    at: Instant,
    /** Of what was asked, where its client named it by a key of its own and no file says what it is. */
    payloadHash: z.string().max(64).optional(),
  }),
  /** The upstream has taken it; its worst case is charged. */
  BatchStarted: z.object({ batchId: BatchId, upstreamId: z.string().min(1).max(200), charged: AmountText, at: Instant }),
  BatchEnded: z.object({
    batchId: BatchId,
    status: BatchEnd,
    outputFileId: FileId.nullable(),
    errorFileId: FileId.nullable(),
    succeeded: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    at: Instant,
  }),
  /** What it used, read from its output once. */
  BatchMeasured: z.object({
    batchId: BatchId,
    usage: Usage,
    /** Requests that were answered, and those of them that did not say what they used: each of these costs its share of the worst case. */
    answered: z.int().nonnegative(),
    unreported: z.int().nonnegative(),
    /** May lie above what was charged. */
    cost: AmountText,
    /** What of the charge is too much. */
    refund: AmountText,
    at: Instant,
  }),
  BatchSettled: z.object({ batchId: BatchId, refunded: AmountText, at: Instant }),
  /** Gone, here and at its upstream. */
  BatchDeleted: z.object({ batchId: BatchId, at: Instant }),
} as const;
