import type { SecretBox } from '../../../commands/ports/secret-box.ts';
import { workerOf, type AnyWorker } from '../../../commands/workers/worker.ts';
import { PLATFORMS } from '../../../domain/task/platforms/platforms.ts';
import { hasEnded } from '../../../domain/task/task.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import type { HookPost } from '../../ports/hook-post.ts';
import { openHook } from './task-hook.ts';
import type { TaskDesk } from './task-desk.ts';
import { TELLING } from './told-task.ts';

export interface HookWorkerDeps {
  readonly desk: Pick<TaskDesk, 'read' | 'refresh' | 'look'>;
  readonly secrets: Pick<SecretBox, 'open'>;
  readonly post: HookPost;
}

/**
 * Tells callers of their tasks where they asked for it. Of an end until they have it, or it is parked; of what is on the way once, for what
 * comes later says more. The id of a message is the event's, so that a receiver knows a repeat.
 */
export const hookWorker = ({ desk, secrets, post }: HookWorkerDeps): AnyWorker =>
  workerOf({
    name: 'task-hooks',
    types: ['TaskProgressed', 'TaskSucceeded', 'TaskFailed', 'TaskCancelled', 'TaskExpired'],
    takesLong: true,
    handle: async ({ type, data: { taskId }, eventId }, { signal, isLast }) => {
      const task = await desk.read(taskId);
      if (isRefusal(task)) return task;
      const { hook, shape, platform } = task.submission;
      const telling = TELLING[shape];
      if (hook === undefined || telling === null || task.deleted) return null;
      const isOnTheWay = type === 'TaskProgressed';
      if (isOnTheWay && (!telling.onTheWay || hasEnded(task))) return null;
      const seen = isOnTheWay ? await desk.look(task) : await desk.refresh(task);
      // Its end has an event of its own.
      if (isOnTheWay && hasEnded(seen.task)) return null;
      // What was made is what a hook is there for. When the upstream does not come back, that it was made is still worth saying.
      if (type === 'TaskSucceeded' && !isLast && PLATFORMS[platform].news(seen.said)?.status !== 'succeeded')
        return refuse('upstream_failed', 'The upstream does not say now what it made.');
      const told = await post.send(openHook(secrets, taskId, hook), eventId, JSON.stringify(telling.words(seen.task, seen.said)), signal);
      return told === 'taken' || told === 'gone' || isOnTheWay ? null : refuse('upstream_failed', told.failure);
    },
  });
