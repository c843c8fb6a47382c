import { z } from 'zod';
import { ChannelId, ChannelKeyId, LeaseId, RequestId, TaskId, TokenId, UserId } from '../ids.ts';
import { AmountText } from '../money.ts';
import { Sealed } from '../sealed.ts';
import { Instant } from '../time.ts';

/** Whose words a task is asked for in. `generic`: the form that gateways have in common for video. */
export const TaskShape = z.enum(['openai', 'generic', 'kling', 'suno', 'midjourney']);
export type TaskShape = z.infer<typeof TaskShape>;

/** Whose words it is asked about in at its upstream. */
export const TaskPlatform = z.enum(['openai', 'kling', 'suno', 'midjourney']);
export type TaskPlatform = z.infer<typeof TaskPlatform>;

const ended = { taskId: TaskId, userId: UserId, at: Instant } as const;
const Reason = z.string().max(500);

export const taskEvents = {
  /** An upstream has taken it. Recorded before its charge is, so that no charge is without its task. */
  TaskSubmitted: z.object({
    taskId: TaskId,
    userId: UserId,
    tokenId: TokenId,
    requestId: RequestId,
    leaseId: LeaseId,
    model: z.string().max(200),
    shape: TaskShape,
    /** What is made, in the words of the shape. */
    action: z.string().max(40),
    platform: TaskPlatform,
    /** The upstream's own word for the action, where its address has one. */
    upstreamAction: z.string().max(40),
    channelId: ChannelId,
    /** Whose account the upstream holds it for. */
    channelKeyId: ChannelKeyId.nullable(),
    /** The upstream's name for it, which is nobody else's business. */
    upstreamId: z.string().min(1).max(200),
    /** What it costs, by what was asked for. */
    price: AmountText,
    seconds: z.int().nonnegative().nullable(),
    size: z.string().max(20).nullable(),
    /** What it was made from. */
    source: TaskId.nullable(),
    /** Where its caller wants to be told of it, and the secret that it is told under. */
    hook: Sealed.optional(),
    submittedAt: Instant,
    /** When it is given up. */
    expiresAt: Instant,
  }),
  TaskProgressed: z.object({
    taskId: TaskId,
    status: z.enum(['queued', 'in_progress']),
    percent: z.int().min(0).max(100),
    at: Instant,
  }),
  TaskSucceeded: z.object(ended),
  TaskFailed: z.object({ ...ended, code: z.string().max(64), reason: Reason }),
  TaskCancelled: z.object({ ...ended, reason: Reason }),
  /** Nothing was heard of its end for too long. */
  TaskExpired: z.object(ended),
  /** What came back to the caller of a task that came to nothing; zero where nothing had been charged. */
  TaskSettled: z.object({ taskId: TaskId, userId: UserId, refunded: AmountText }),
  /** Its caller wants it no longer to be found. */
  TaskDeleted: z.object(ended),
} as const;
