import { runTaskCommand } from '../../../commands/tasks/run-task-command.ts';
import { isoInstant } from '../../../domain/kernel/iso-instant.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import type { TaskOf } from '../../ports/console-reads.ts';
import { isAdministrator, type Caller } from '../caller.ts';
import type { Handlers } from '../handler.ts';
import { doneAt, mayTouch, ownerOf, pageOf } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type TaskHandlers = Pick<Handlers, 'listTasks' | 'readTask' | 'cancelTask'>;

const NO_SUCH_TASK = refuse('not_found', 'There is no such task.');

const shownTo = (caller: Caller, task: TaskOf) => ({ ...task, channelId: isAdministrator(caller) ? task.channelId : null });

export const taskHandlers = (deps: HandlerDeps): TaskHandlers => ({
  listTasks: async ({ caller, query }) => {
    const owner = ownerOf(caller, query);
    if (isRefusal(owner)) return owner;
    const { status, shape, model } = query;
    const channelId = isAdministrator(caller) ? query.channelId : undefined;
    const { rows, nextCursor } = await deps.reads.tasks({ owner, status, shape, model, channelId }, pageOf(query));
    return { rows: rows.map((task) => shownTo(caller, task)), nextCursor };
  },

  readTask: async ({ caller, params }) => {
    const found = await deps.reads.task(params.taskId);
    return found === null || !mayTouch(caller, found.userId) ? NO_SUCH_TASK : shownTo(caller, found);
  },

  // What has to be paid back is so by whoever asks upstreams about tasks.
  cancelTask: async ({ params: { taskId }, body, context }) => {
    const found = await deps.reads.task(taskId);
    if (found === null) return NO_SUCH_TASK;
    const command = { kind: 'cancel', reason: body.reason, at: isoInstant(deps.clock.now()) } as const;
    return doneAt(await runTaskCommand(deps, taskId, command, context(found.userId)));
  },
});
