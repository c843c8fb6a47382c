import { isRecord } from '../../../domain/dialects/loose-json.ts';
import {
  aboutUpstream,
  MIDJOURNEY_ACTIONS,
  midjourneyModel,
  midjourneySource,
  type MidjourneyAction,
} from '../../../domain/task/midjourney-model.ts';
import { PLATFORMS } from '../../../domain/task/platforms/platforms.ts';
import type { Task } from '../../../domain/task/task.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { sendJson, sendRefusal } from '../answer.ts';
import type { Call, Caller } from '../call.ts';
import { midjourneyAnswers } from '../dialects/task-answers.ts';
import { readObject } from '../parse.ts';
import type { Prepared, SpendingRoute } from '../spending-route.ts';
import { asJson } from '../upstreams/json-bytes.ts';
import { askTask } from './ask-task.ts';
import { listedTasks } from './listed-tasks.ts';
import { streamContent } from './stream-content.ts';
import { hookIn, withoutHooks } from './task-hook.ts';
import type { SeenTask, TaskDesk } from './task-desk.ts';
import type { TaskRoutesDeps } from './task-routes-deps.ts';
import { NO_TASKS, type TaskDeps } from './video-task.ts';

/** Plain, and behind how quick it is to be. */
const PREFIXES = ['/mj', '/:mode/mj'] as const;

const MODES: ReadonlySet<string> = new Set(['relax', 'fast', 'turbo', 'mj-relax', 'mj-fast', 'mj-turbo']);

const ACTIONS = Object.keys(MIDJOURNEY_ACTIONS) as readonly MidjourneyAction[];

const STATUS = {
  none: 'NOT_START',
  submitted: 'SUBMITTED',
  queued: 'SUBMITTED',
  in_progress: 'IN_PROGRESS',
  succeeded: 'SUCCESS',
  failed: 'FAILURE',
  cancelled: 'CANCEL',
  expired: 'FAILURE',
} as const satisfies Record<Task['status'], string>;

const momentOf = (instant: string | null): number => (instant === null ? 0 : Date.parse(instant));

/** A task in the form of the proxy of Midjourney. */
export const midjourneyTask = (task: Task, said: unknown): object => {
  const { submission, status, failure, percent, endedAt } = task;
  if (submission === null) throw new Error('a task that was submitted has a submission');
  const { taskId, action, submittedAt } = submission;
  const { properties: _properties, ...own } = isRecord(said) ? said : {};
  return {
    action: action.toUpperCase(),
    prompt: '',
    imageUrl: '',
    progress: `${percent}%`,
    buttons: [],
    startTime: momentOf(submittedAt),
    ...own,
    id: taskId,
    // A task that waits for its second step says so itself.
    status: status === 'queued' && own['status'] === 'MODAL' ? 'MODAL' : STATUS[status],
    failReason: failure?.reason ?? '',
    submitTime: momentOf(submittedAt),
    finishTime: momentOf(endedAt),
  };
};

const isKnownMode = (call: Call): boolean => {
  const { mode } = call.req.params;
  return mode === undefined || MODES.has(String(mode));
};

/** Where callers want to be told of a task. */
const HOOKS = ['notifyHook'] as const;

const NO_MODE = refuse('not_found', 'There is no such mode.');

const prepare =
  (action: MidjourneyAction, { tasks, limits }: TaskDeps) =>
  async (call: Call, { user }: Caller, body: Buffer): Promise<Prepared | Refusal> => {
    if (tasks === null) return NO_TASKS;
    if (!isKnownMode(call)) return NO_MODE;
    const read = readObject(body, [...HOOKS, 'taskId', 'content', 'action', 'customId'], limits);
    if ('refused' in read) return read;
    const hook = await hookIn(read.value as Readonly<Record<string, unknown>>, HOOKS, tasks.hookEgress);
    if (hook !== null && isRefusal(hook)) return hook;
    const request = withoutHooks(read.value as Readonly<Record<string, unknown>>, HOOKS);
    const model = midjourneyModel(action, request);
    if (model === null) return refuse('invalid_request', 'The request does not say what is to be done, or it is not known here.');
    const about = midjourneySource(action, request);
    const source = about === null ? null : await tasks.own(user.userId, about);
    if (source !== null && isRefusal(source)) return source;
    if (source !== null && source.submission.platform !== 'midjourney')
      return refuse('invalid_request', 'The task is none of Midjourney’s.', { param: 'taskId' });
    const hasHook = read.spans[0] !== null;
    const own = hasHook ? asJson(request) : body;
    const asked = source === null ? own : asJson(aboutUpstream(action, request, source.submission.upstreamId));
    const { mode } = call.req.params;
    return {
      body,
      dialect: midjourneyAnswers,
      parsed: {
        endpoint: 'midjourney',
        body: asked,
        request: { model },
        path: `${mode === undefined ? '' : `/${String(mode)}`}/mj/submit/${action}`,
      },
      ...(source === null ? {} : { pinned: { channelId: source.submission.channelId, keyId: source.submission.channelKeyId } }),
      task: {
        shape: 'midjourney',
        action: model.replace(/^mj_/, ''),
        upstreamAction: () => action,
        seconds: null,
        size: null,
        source: source?.submission.taskId ?? null,
        ...(hook === null ? {} : { hook: hook.url }),
        answer: ({ submission }, said) => {
          const { code = 1, description = '' } = isRecord(said) ? said : {};
          return { code, description, result: submission?.taskId, properties: {} };
        },
      },
    };
  };

/** The addresses for Midjourney that can spend. */
export const midjourneySpending = (deps: TaskDeps): readonly SpendingRoute[] =>
  PREFIXES.flatMap((prefix) =>
    ACTIONS.map((action) => ({
      endpoint: 'midjourney' as const,
      name: `${prefix}/submit/${action}`,
      dialect: midjourneyAnswers,
      hubBody: null,
      prepare: prepare(action, deps),
    })),
  );

/** The addresses for Midjourney at which it is only looked. */
export const addMidjourneyRoutes = ({ router, tasks, limits, look, notThisMethod }: TaskRoutesDeps): void => {
  const own =
    (work: (desk: TaskDesk, task: SeenTask['task'], call: Call) => Promise<object | Refusal | null>) =>
    async (call: Call, { user }: Caller): Promise<void> => {
      const task = tasks === null ? NO_TASKS : isKnownMode(call) ? await tasks.own(user.userId, String(call.req.params['id'])) : NO_MODE;
      if (tasks === null || isRefusal(task)) return sendRefusal(call, isRefusal(task) ? task : NO_TASKS);
      const answer = await work(tasks, task, call);
      if (answer === null) return;
      return isRefusal(answer) ? sendRefusal(call, answer) : sendJson(call, 200, answer);
    };
  for (const prefix of PREFIXES) {
    const fetchOne = `${prefix}/task/:id/fetch`;
    const seed = `${prefix}/task/:id/image-seed`;
    const image = `${prefix}/image/:id`;
    const list = `${prefix}/task/list-by-condition`;
    router
      .route(fetchOne)
      .get(
        look(
          fetchOne,
          own(async (desk, task) => {
            const seen = await desk.look(task);
            return midjourneyTask(seen.task, seen.said);
          }),
        ),
      )
      .all(notThisMethod('GET')(fetchOne));
    router
      .route(seed)
      .get(
        look(
          seed,
          own(async (desk, { submission }) => {
            const path = PLATFORMS.midjourney.path(submission.upstreamAction, submission.upstreamId).replace(/fetch$/, 'image-seed');
            const answer = await askTask(desk.asking, submission, { method: 'GET', path });
            return answer === null || answer.status !== 200 || !isRecord(answer.said) ? refuse('upstream_failed') : answer.said;
          }),
        ),
      )
      .all(notThisMethod('GET')(seed));
    router
      .route(image)
      .get(
        look(
          image,
          own((desk, task, call) => streamContent(desk, task, call, 'video')),
        ),
      )
      .all(notThisMethod('GET')(image));
    router
      .route(list)
      .post(
        look(list, async (call, caller) => {
          const seen = await listedTasks(tasks, limits, call, caller);
          if (seen === null) return;
          if (isRefusal(seen)) return sendRefusal(call, seen);
          sendJson(
            call,
            200,
            seen.map(({ task, said }) => midjourneyTask(task, said)),
          );
        }),
      )
      .all(notThisMethod('POST')(list));
  }
};
