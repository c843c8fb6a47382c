import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import { TaskIds } from '../../../schemas/tasks/task-ids.ts';
import type { Call, Caller } from '../call.ts';
import { firstIssue, readObject } from '../parse.ts';
import { readBody } from '../read-body.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { SeenTask, TaskDesk } from './task-desk.ts';
import { NO_TASKS } from './video-task.ts';

/** The tasks whose ids a call lists, as they stand now; `null` for a client that has left. What is not the caller's is left out, as if it were not there. */
export const listedTasks = async (
  tasks: TaskDesk | null,
  limits: RelayLimits,
  { req, room }: Call,
  { user }: Caller,
): Promise<readonly SeenTask[] | Refusal | null> => {
  const body = await readBody(req, limits.bodyBytes, 'json', { room });
  if (body === null) return null;
  const read = 'refused' in body ? body : readObject(body, ['ids'], limits);
  if ('refused' in read) return read;
  const request = TaskIds.safeParse(read.value);
  if (!request.success) return firstIssue(request.error);
  if (tasks === null) return NO_TASKS;
  const found = await Promise.all(request.data.ids.map((id) => tasks.own(user.userId, id)));
  const own = found.filter((task): task is SeenTask['task'] => !isRefusal(task));
  return Promise.all(own.map((task) => tasks.look(task)));
};
