import { owesRefund, taskOf, type Task } from '../../domain/task/task.ts';
import type { TaskEvent } from '../../schemas/events/catalogue.ts';
import { taskEvents } from '../../schemas/events/task.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { TaskDocument, TASKS } from './tables.ts';

type TaskEventType = TaskEvent['type'];

const ENDED: ReadonlySet<Task['status']> = new Set(['succeeded', 'failed', 'cancelled', 'expired']);

const evolve = (doc: TaskDocument | undefined, event: ProjectedEvent<TaskEventType>): TaskDocument | undefined => {
  if (event.type === 'TaskSubmitted') {
    const { taskId, userId, tokenId, requestId, model, shape, action, platform, channelId, price, seconds, size, submittedAt, expiresAt } =
      event.data;
    return {
      taskId,
      userId,
      tokenId,
      requestId,
      model,
      shape,
      action,
      platform,
      channelId,
      status: 'submitted',
      percent: 0,
      price,
      refunded: null,
      seconds,
      size,
      failure: null,
      submittedAt,
      expiresAt,
      endedAt: null,
      deleted: false,
      submittedPosition: event.position.toString(),
      open: true,
    };
  }
  if (doc === undefined) return undefined;
  const { evolve: fold, initial } = taskOf(doc.taskId);
  const { status, percent, endedAt, failure, refunded, deleted } = fold({ ...initial, ...doc }, event);
  // Never back: what is not submitted has no document.
  if (status === 'none') return doc;
  const open = !ENDED.has(status) || owesRefund({ status, refunded });
  return { ...doc, status, percent, endedAt, failure, refunded, deleted, open };
};

/** What upstreams are at work on for longer than a call, and what became of it. */
export const tasks = documentProjection({
  ...TASKS,
  types: Object.keys(taskEvents) as readonly TaskEventType[],
  schema: TaskDocument,
  indexes: [`((doc->>'userId'), ((doc->>'submittedPosition')::bigint))`, `((doc->>'open')) WHERE (doc->>'open')::boolean`],
  keyOf: ({ data }) => data.taskId,
  evolve,
});
