import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { passedOn } from '../../../domain/task/passed-on.ts';
import { PLATFORMS } from '../../../domain/task/platforms/platforms.ts';
import type { Task } from '../../../domain/task/task.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { KlingVideoRequest } from '../../../schemas/openai/videos-request.ts';
import { sendJson, sendRefusal } from '../answer.ts';
import { klingAnswers } from '../dialects/task-answers.ts';
import type { ParsedVideo } from '../endpoints/videos.ts';
import { firstIssue, readObject } from '../parse.ts';
import type { Prepared, SpendingRoute } from '../spending-route.ts';
import { hookIn } from './task-hook.ts';
import type { TaskRoutesDeps } from './task-routes-deps.ts';
import { NO_TASKS, videoTask, type HookedVideo, type TaskDeps, type VideoParsing } from './video-task.ts';

const ACTIONS = ['text2video', 'image2video'] as const;
type Action = (typeof ACTIONS)[number];

const submitAt = (action: Action): string => `/kling/v1/videos/${action}`;

const DEFAULT_MODEL = 'kling-v1';

const STATUS = {
  none: 'submitted',
  submitted: 'submitted',
  queued: 'submitted',
  in_progress: 'processing',
  succeeded: 'succeed',
  failed: 'failed',
  cancelled: 'failed',
  expired: 'failed',
} as const satisfies Record<Task['status'], string>;

/** A task as Kling tells hooks of it. */
export const klingData = (task: Task, said: unknown): object => {
  const { submission, status, failure, endedAt } = task;
  if (submission === null) throw new Error('a task that was submitted has a submission');
  const { taskId, platform, seconds, submittedAt } = submission;
  const own = platform === 'kling' && isRecord(said) && isRecord(said['data']) ? said['data'] : {};
  const videos = said === null ? [] : PLATFORMS[platform].made(said).map((url) => ({ id: taskId, url, duration: String(seconds ?? '') }));
  return {
    ...(status === 'succeeded' ? { task_result: { videos } } : {}),
    ...own,
    task_id: taskId,
    task_status: STATUS[status],
    task_status_msg: failure?.reason ?? '',
    created_at: Date.parse(submittedAt),
    updated_at: Date.parse(endedAt ?? submittedAt),
  };
};

/** A task in Kling's own form. */
const klingTask = (task: Task, said: unknown): object => ({
  code: 0,
  message: 'SUCCEED',
  request_id: task.submission?.requestId,
  data: klingData(task, said),
});

const HOOK = 'callback_url';

const parse = async (body: Buffer, action: Action, { limits, hookEgress }: VideoParsing): Promise<HookedVideo | Refusal> => {
  const read = readObject(body, ['model_name', 'model', 'prompt', 'image', 'duration', 'aspect_ratio', HOOK], limits);
  if ('refused' in read) return read;
  const request = KlingVideoRequest.safeParse(read.value);
  if (!request.success) return firstIssue(request.error);
  const { model_name: name, model, prompt = '', image, duration, aspect_ratio: ratio, ...extras } = request.data;
  const hook = await hookIn(request.data, [HOOK], hookEgress);
  if (hook !== null && isRefusal(hook)) return hook;
  if (action === 'image2video' && image === undefined)
    return refuse('invalid_request', 'image: there is none to begin with.', { param: 'image' });
  const parsed: ParsedVideo = {
    endpoint: 'videos',
    body,
    request: { model: name ?? model ?? DEFAULT_MODEL },
    asked: {
      prompt,
      seconds: duration ?? null,
      size: ratio ?? null,
      image: action === 'image2video' ? (image ?? null) : null,
      extras: passedOn(extras),
    },
    own: null,
    form: null,
    remixed: null,
  };
  return { parsed, hook };
};

/** Kling's addresses that can spend. */
export const klingSpending = ({ tasks, limits }: TaskDeps): readonly SpendingRoute[] =>
  ACTIONS.map((action) => ({
    endpoint: 'videos',
    name: submitAt(action),
    dialect: klingAnswers,
    hubBody: null,
    prepare: async (_call, _caller, body): Promise<Prepared | Refusal> => {
      const asked = tasks === null ? NO_TASKS : await parse(body, action, { limits, hookEgress: tasks.hookEgress });
      if ('refused' in asked) return asked;
      const { parsed, hook } = asked;
      const more = { answer: klingTask, action, ...(hook === null ? {} : { hook: hook.url }) };
      return { body, dialect: klingAnswers, parsed, task: videoTask('kling', parsed, more) };
    },
  }));

/** Kling's addresses at which it is only looked. */
export const addKlingRoutes = ({ router, tasks, look, notThisMethod }: TaskRoutesDeps): void => {
  for (const action of ACTIONS) {
    const address = `${submitAt(action)}/:id`;
    router
      .route(address)
      .get(
        look(address, async (call, caller) => {
          const task = tasks === null ? NO_TASKS : await tasks.own(caller.user.userId, String(call.req.params['id']));
          if (tasks === null || isRefusal(task)) return sendRefusal(call, isRefusal(task) ? task : NO_TASKS);
          const seen = await tasks.look(task);
          sendJson(call, 200, klingTask(seen.task, seen.said));
        }),
      )
      .all(notThisMethod('GET')(address));
  }
};
