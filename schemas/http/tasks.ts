import { z } from 'zod';
import { TaskPlatform, TaskShape } from '../events/task.ts';
import { ChannelId, RequestId, TaskId, TokenId, UserId } from '../ids.ts';
import { AmountText } from '../money.ts';
import { Instant } from '../time.ts';
import { AfterQuery, Done, PageQuery, pageOf, ScopeQuery } from './wire.ts';

export const TaskState = z.enum(['submitted', 'queued', 'in_progress', 'succeeded', 'failed', 'cancelled', 'expired']);

export const TaskView = z.object({
  taskId: TaskId,
  userId: UserId,
  tokenId: TokenId,
  requestId: RequestId,
  model: z.string(),
  /** Whose words it was asked for in. */
  shape: TaskShape,
  action: z.string(),
  platform: TaskPlatform,
  /** For administrators. */
  channelId: ChannelId.nullable(),
  status: TaskState,
  percent: z.int(),
  price: AmountText,
  /** What came back; `null` while that is open, or where nothing has to. */
  refunded: AmountText.nullable(),
  seconds: z.int().nullable(),
  size: z.string().nullable(),
  failure: z.object({ code: z.string(), reason: z.string() }).nullable(),
  submittedAt: Instant,
  expiresAt: Instant,
  endedAt: Instant.nullable(),
});

/** Newest first. */
export const TaskQuery = z.object({
  ...PageQuery,
  ...ScopeQuery,
  userId: UserId.optional(),
  status: TaskState.optional(),
  shape: TaskShape.optional(),
  model: z.string().max(200).optional(),
  channelId: ChannelId.optional(),
});
export const TaskPage = pageOf(TaskView);
export const OneTaskQuery = z.object(AfterQuery);
export const CancelTask = z.object({ reason: z.string().min(1).max(500) });
export const TaskDone = Done;
