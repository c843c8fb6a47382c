import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { epochSeconds } from '../../../domain/kernel/iso-instant.ts';
import type { Task } from '../../../domain/task/task.ts';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import { sendJson, sendRefusal } from '../answer.ts';
import { sunoAnswers } from '../dialects/task-answers.ts';
import { readObject } from '../parse.ts';
import type { Prepared, SpendingRoute } from '../spending-route.ts';
import { asJson } from '../upstreams/json-bytes.ts';
import { listedTasks } from './listed-tasks.ts';
import { hookIn, withoutHooks } from './task-hook.ts';
import type { TaskRoutesDeps } from './task-routes-deps.ts';
import { NO_TASKS, type TaskDeps } from './video-task.ts';

const ACTIONS = ['music', 'lyrics'] as const;
const FETCH = '/suno/fetch';
const FETCH_ONE = '/suno/fetch/:id';

const STATUS = {
  none: 'NOT_START',
  submitted: 'SUBMITTED',
  queued: 'QUEUED',
  in_progress: 'IN_PROGRESS',
  succeeded: 'SUCCESS',
  failed: 'FAILURE',
  cancelled: 'FAILURE',
  expired: 'FAILURE',
} as const satisfies Record<Task['status'], string>;

const secondsOf = (instant: string | null): number => (instant === null ? 0 : epochSeconds(instant));

/** A task in the form that gateways have in common for Suno. */
export const sunoTask = (task: Task, said: unknown): object => {
  const { submission, status, failure, percent, endedAt } = task;
  if (submission === null) throw new Error('a task that was submitted has a submission');
  const { taskId, action, submittedAt } = submission;
  const own = isRecord(said) && isRecord(said['data']) ? said['data'] : {};
  return {
    data: null,
    progress: `${percent}%`,
    ...own,
    task_id: taskId,
    action: action.toUpperCase(),
    status: STATUS[status],
    fail_reason: failure?.reason ?? '',
    submit_time: secondsOf(submittedAt),
    finish_time: secondsOf(endedAt),
  };
};

const succeeded = (data: unknown): object => ({ code: 'success', message: '', data });

/** Where callers want to be told of a task. */
const HOOKS = ['notify_hook', 'notifyHook'] as const;

/** The addresses for Suno that can spend. */
export const sunoSpending = ({ tasks, limits }: TaskDeps): readonly SpendingRoute[] =>
  ACTIONS.map((action) => ({
    endpoint: 'music',
    name: `/suno/submit/${action}`,
    dialect: sunoAnswers,
    hubBody: null,
    prepare: async (_call, _caller, body): Promise<Prepared | Refusal> => {
      if (tasks === null) return NO_TASKS;
      const read = readObject(body, HOOKS, limits);
      if ('refused' in read) return read;
      const request = read.value as Readonly<Record<string, unknown>>;
      const hook = await hookIn(request, HOOKS, tasks.hookEgress);
      if (hook !== null && isRefusal(hook)) return hook;
      const asked = read.spans.every((span) => span === null) ? body : asJson(withoutHooks(request, HOOKS));
      return {
        body,
        dialect: sunoAnswers,
        parsed: { endpoint: 'music', body: asked, request: { model: `suno_${action}` }, path: `/suno/submit/${action}` },
        task: {
          shape: 'suno',
          action,
          upstreamAction: () => action,
          seconds: null,
          size: null,
          source: null,
          ...(hook === null ? {} : { hook: hook.url }),
          answer: ({ submission }) => succeeded(submission?.taskId),
        },
      };
    },
  }));

/** The addresses for Suno at which it is only looked. */
export const addSunoRoutes = ({ router, tasks, limits, look, notThisMethod }: TaskRoutesDeps): void => {
  router
    .route(FETCH_ONE)
    .get(
      look(FETCH_ONE, async (call, caller) => {
        const task = tasks === null ? NO_TASKS : await tasks.own(caller.user.userId, String(call.req.params['id']));
        if (tasks === null || isRefusal(task)) return sendRefusal(call, isRefusal(task) ? task : NO_TASKS);
        const seen = await tasks.look(task);
        sendJson(call, 200, succeeded(sunoTask(seen.task, seen.said)));
      }),
    )
    .all(notThisMethod('GET')(FETCH_ONE));
  router
    .route(FETCH)
    .post(
      look(FETCH, async (call, caller) => {
        const seen = await listedTasks(tasks, limits, call, caller);
        if (seen === null) return;
        if (isRefusal(seen)) return sendRefusal(call, seen);
        sendJson(call, 200, succeeded(seen.map(({ task, said }) => sunoTask(task, said))));
      }),
    )
    .all(notThisMethod('POST')(FETCH));
};
