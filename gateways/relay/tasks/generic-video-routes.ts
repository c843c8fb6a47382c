import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { passedOn } from '../../../domain/task/passed-on.ts';
import { PLATFORMS } from '../../../domain/task/platforms/platforms.ts';
import type { Task } from '../../../domain/task/task.ts';
import { VideoGenerationRequest } from '../../../schemas/openai/videos-request.ts';
import { sendJson, sendRefusal } from '../answer.ts';
import { openaiAnswers } from '../dialects/openai-answers.ts';
import type { ParsedVideo } from '../endpoints/videos.ts';
import { firstIssue, readObject } from '../parse.ts';
import type { Prepared, SpendingRoute } from '../spending-route.ts';
import { VIDEO_STATUS } from './openai-video.ts';
import { hookIn } from './task-hook.ts';
import { NO_TASKS, videoTask, type HookedVideo, type TaskDeps, type VideoParsing } from './video-task.ts';
import type { TaskRoutesDeps } from './task-routes-deps.ts';

const GENERATIONS = '/v1/video/generations';
const GENERATION = '/v1/video/generations/:id';

/** A task in the form that gateways have in common for video. `content`: where its file is passed on from, if it has no address of its own. */
export const generation = (task: Task, said: unknown): object => {
  const { submission, status, failure } = task;
  if (submission === null) throw new Error('a task that was submitted has a submission');
  const { taskId, seconds, platform } = submission;
  const [made] = said === null ? [] : PLATFORMS[platform].made(said);
  return {
    task_id: taskId,
    status: VIDEO_STATUS[status],
    ...(status === 'succeeded' ? { url: made ?? `/v1/videos/${taskId}/content`, format: 'mp4' } : {}),
    ...(seconds === null ? {} : { metadata: { duration: seconds } }),
    ...(failure === null ? {} : { error: { code: failure.code, message: failure.reason } }),
  };
};

const HOOK = 'callback_url';

const parse = async (body: Buffer, { limits, hookEgress }: VideoParsing): Promise<HookedVideo | Refusal> => {
  const read = readObject(body, ['model', 'prompt', 'seconds', 'duration', 'size', 'image', HOOK], limits);
  if ('refused' in read) return read;
  const request = VideoGenerationRequest.safeParse(read.value);
  if (!request.success) return firstIssue(request.error);
  const { model, prompt = '', mode, image, images, input_reference: reference, size, seconds, duration, metadata } = request.data;
  if (seconds !== undefined && duration !== undefined && seconds !== duration)
    return refuse('invalid_request', 'seconds and duration say the same and differ.', { param: 'duration' });
  const hook = await hookIn(request.data, [HOOK], hookEgress);
  if (hook !== null && isRefusal(hook)) return hook;
  const parsed: ParsedVideo = {
    endpoint: 'videos',
    body,
    request: { model },
    asked: {
      prompt,
      seconds: seconds ?? duration ?? null,
      size: size ?? null,
      image: image ?? reference ?? images?.[0] ?? null,
      extras: { ...passedOn(metadata ?? {}), ...(mode === undefined ? {} : { mode }) },
    },
    own: null,
    form: null,
    remixed: null,
  };
  return { parsed, hook };
};

export const genericVideoSpending = ({ tasks, limits }: TaskDeps): readonly SpendingRoute[] => [
  {
    endpoint: 'videos',
    name: GENERATIONS,
    dialect: openaiAnswers,
    hubBody: null,
    prepare: async (_call, _caller, body): Promise<Prepared | Refusal> => {
      const asked = tasks === null ? NO_TASKS : await parse(body, { limits, hookEgress: tasks.hookEgress });
      if ('refused' in asked) return asked;
      const { parsed, hook } = asked;
      const more = { answer: generation, ...(hook === null ? {} : { hook: hook.url }) };
      return { body, dialect: openaiAnswers, parsed, task: videoTask('generic', parsed, more) };
    },
  },
];

export const addGenericVideoRoutes = ({ router, tasks, look, notThisMethod }: TaskRoutesDeps): void => {
  router
    .route(GENERATION)
    .get(
      look(GENERATION, async (call, caller) => {
        const task = tasks === null ? NO_TASKS : await tasks.own(caller.user.userId, String(call.req.params['id']));
        if (tasks === null || isRefusal(task)) return sendRefusal(call, isRefusal(task) ? task : NO_TASKS);
        const seen = await tasks.look(task);
        sendJson(call, 200, generation(seen.task, seen.said));
      }),
    )
    .all(notThisMethod('GET')(GENERATION));
};
