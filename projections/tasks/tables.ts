import { z } from 'zod';
import { TaskPlatform, TaskShape } from '../../schemas/events/task.ts';
import { ChannelId, RequestId, TaskId, TokenId, UserId } from '../../schemas/ids.ts';
import { AmountText } from '../../schemas/money.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const TASKS = { name: 'tasks', version: 1 } as const;

export const taskTable = tableName(TASKS.name, TASKS.version);

/** Where a task stands, as far as is recorded. What it made is with its upstream. */
export const TaskDocument = z.object({
  taskId: TaskId,
  userId: UserId,
  tokenId: TokenId,
  requestId: RequestId,
  model: z.string(),
  shape: TaskShape,
  action: z.string(),
  platform: TaskPlatform,
  channelId: ChannelId,
  status: z.enum(['submitted', 'queued', 'in_progress', 'succeeded', 'failed', 'cancelled', 'expired']),
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
  deleted: z.boolean(),
  /** Where it was submitted: what pages are ordered by. A decimal text, for it outgrows what a JSON number holds. */
  submittedPosition: z.string(),
  /** Whether anything is left to be done for it: it runs, or its charge has to come back. */
  open: z.boolean(),
});
export type TaskDocument = z.infer<typeof TaskDocument>;
