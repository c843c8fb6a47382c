import { epochSeconds } from '../../../domain/kernel/iso-instant.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { PLATFORMS } from '../../../domain/task/platforms/platforms.ts';
import type { Task } from '../../../domain/task/task.ts';
import type { TaskDocument } from '../../../projections/tasks/tables.ts';

type Known = Pick<Task, 'status' | 'percent' | 'endedAt' | 'failure'>;

/** How gateways tell a video's status. */
export const VIDEO_STATUS = {
  none: 'queued',
  submitted: 'queued',
  queued: 'queued',
  in_progress: 'in_progress',
  succeeded: 'completed',
  failed: 'failed',
  cancelled: 'failed',
  expired: 'failed',
} as const satisfies Record<Task['status'], string>;

const answer = (
  known: Known,
  {
    taskId,
    model,
    source,
    seconds,
    size,
    submittedAt,
  }: { taskId: string; model: string; source: string | null; seconds: number | null; size: string | null; submittedAt: string },
  said: Readonly<Record<string, unknown>>,
  percent: number,
): object => ({
  prompt: null,
  expires_at: null,
  size,
  ...said,
  id: taskId,
  object: 'video',
  model,
  status: VIDEO_STATUS[known.status],
  progress: percent,
  created_at: epochSeconds(submittedAt),
  completed_at: known.endedAt === null ? null : epochSeconds(known.endedAt),
  seconds: seconds === null ? null : String(seconds),
  remixed_from_video_id: source,
  error: known.failure === null ? null : { code: known.failure.code, message: known.failure.reason },
});

const NOTHING: Readonly<Record<string, unknown>> = {};

/** A task as a video of OpenAI's API: what its upstream says of it where that speaks the same, else what is known here. */
export const openaiVideo = (task: Task, said: unknown): object => {
  const { submission } = task;
  if (submission === null) throw new Error('a task that was submitted has a submission');
  const own = submission.platform === 'openai' && isRecord(said) ? said : NOTHING;
  const news = said === null ? null : PLATFORMS[submission.platform].news(said);
  // Between the steps that are recorded, its upstream knows better.
  const percent = news !== null && 'percent' in news ? Math.max(task.percent, Math.floor(news.percent)) : task.percent;
  return answer(task, submission, own, percent);
};

export const listedOpenaiVideo = (document: TaskDocument): object =>
  answer(document, { ...document, source: null }, NOTHING, document.percent);
