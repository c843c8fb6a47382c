import type { Task } from '../../api/tasks.ts';
import type { Tone } from '../../ui/tone.ts';

export const STATE_TONE: Readonly<Record<Task['status'], Tone>> = {
  submitted: 'neutral',
  queued: 'neutral',
  in_progress: 'warn',
  succeeded: 'ok',
  failed: 'bad',
  cancelled: 'neutral',
  expired: 'bad',
};

export const hasEnded = ({ status }: Pick<Task, 'status'>): boolean => ['succeeded', 'failed', 'cancelled', 'expired'].includes(status);

/** What became of the price: `coming` until the refund is recorded, `none` where there was no charge to pay back. */
export type TaskMoney = 'charged' | 'coming' | 'refunded' | 'none';

export const moneyOf = ({ status, refunded }: Pick<Task, 'status' | 'refunded'>): TaskMoney => {
  if (!hasEnded({ status }) || status === 'succeeded') return 'charged';
  if (refunded === null) return 'coming';
  return refunded === '0' ? 'none' : 'refunded';
};

/** Whether what is shown of it will be old soon. */
export const isMoving = (task: Pick<Task, 'status' | 'refunded'>): boolean => !hasEnded(task) || moneyOf(task) === 'coming';
