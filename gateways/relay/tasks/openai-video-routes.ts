import type { z } from 'zod';
import { passedOn } from '../../../domain/task/passed-on.ts';
import type { VideoAsked } from '../../../domain/task/video-asked.ts';
import { isRecord, textOf } from '../../../domain/dialects/loose-json.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { TaskId } from '../../../schemas/ids.ts';
import { RemixRequest, VideosRequest } from '../../../schemas/openai/videos-request.ts';
import { sendJson, sendRefusal } from '../answer.ts';
import type { Call, Caller } from '../call.ts';
import { openaiAnswers } from '../dialects/openai-answers.ts';
import { readForm } from '../endpoints/form.ts';
import type { ParsedVideo } from '../endpoints/videos.ts';
import { boundaryOf } from '../form-scanner.ts';
import { openaiList } from '../openai-list.ts';
import { firstIssue, readObject } from '../parse.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { Prepare, Prepared, SpendingRoute } from '../spending-route.ts';
import { listedOpenaiVideo, openaiVideo } from './openai-video.ts';
import { streamContent } from './stream-content.ts';
import type { SeenTask, TaskDesk } from './task-desk.ts';
import { NO_TASKS, videoTask, type TaskDeps } from './video-task.ts';
import type { TaskRoutesDeps } from './task-routes-deps.ts';

const VIDEOS = '/v1/videos';
const VIDEO = '/v1/videos/:id';
const CONTENT = '/v1/videos/:id/content';
const REMIX = '/v1/videos/:id/remix';

const DEFAULT_MODEL = 'sora-2';

/** A form, and a field for the model in front where there was none. */
const withModel = (body: Buffer, boundary: string): Buffer | null => {
  const line = `--${boundary}\r\n`;
  return body.subarray(0, line.length).equals(Buffer.from(line))
    ? Buffer.concat([Buffer.from(`${line}content-disposition: form-data; name="model"\r\n\r\n${DEFAULT_MODEL}\r\n`), body])
    : null;
};

const asked = (fields: Readonly<Record<string, unknown>>, { prompt, seconds, size }: z.infer<typeof VideosRequest>): VideoAsked => {
  const { model: _model, prompt: _prompt, seconds: _seconds, size: _size, input_reference: reference, ...rest } = fields;
  const image = isRecord(reference) ? textOf(reference['image_url']) : textOf(reference);
  return { prompt, seconds: seconds ?? null, size: size ?? null, image: image === '' ? null : image, extras: passedOn(rest) };
};

const parseForm = (given: Buffer, boundary: string): ParsedVideo | Refusal => {
  let body = given;
  let form = readForm(body, boundary);
  if ('refused' in form) return form;
  if (form.model === null) {
    const completed = withModel(body, boundary);
    if (completed === null) return refuse('invalid_request', 'model: the form does not name one.', { param: 'model' });
    body = completed;
    form = readForm(body, boundary);
    if ('refused' in form) return form;
  }
  const request = VideosRequest.safeParse({ ...form.fields });
  if (!request.success) return firstIssue(request.error);
  return {
    endpoint: 'videos',
    body,
    request: { model: request.data.model },
    asked: asked({ ...form.fields }, request.data),
    own: { model: form.model },
    form,
    remixed: null,
  };
};

const parseJson = (body: Buffer, limits: RelayLimits): ParsedVideo | Refusal => {
  const read = readObject(body, ['model', 'prompt', 'seconds', 'size'], limits);
  if ('refused' in read) return read;
  const request = VideosRequest.safeParse(read.value);
  if (!request.success) return firstIssue(request.error);
  return {
    endpoint: 'videos',
    body,
    request: { model: request.data.model },
    asked: asked(read.value as Readonly<Record<string, unknown>>, request.data),
    own: { model: read.spans[0] ?? null },
    form: null,
    remixed: null,
  };
};

const prepareVideo =
  ({ tasks, limits }: TaskDeps): Prepare =>
  async (call, _caller, body): Promise<Prepared | Refusal> => {
    if (tasks === null) return NO_TASKS;
    const boundary = boundaryOf(call.req.headers['content-type']);
    const parsed = boundary === null ? parseJson(body, limits) : parseForm(body, boundary);
    if ('refused' in parsed) return parsed;
    return { body, dialect: openaiAnswers, parsed, task: videoTask('openai', parsed, { answer: openaiVideo }) };
  };

const prepareRemix =
  ({ tasks, limits }: TaskDeps): Prepare =>
  async (call, caller, body): Promise<Prepared | Refusal> => {
    if (tasks === null) return NO_TASKS;
    const source = await tasks.own(caller.user.userId, String(call.req.params['id']));
    if (isRefusal(source)) return source;
    const { channelId, channelKeyId, upstreamId, platform, model, seconds, size, taskId } = source.submission;
    if (platform !== 'openai') return refuse('invalid_request', 'Videos of this model cannot be made anew.');
    const read = readObject(body, ['prompt'], limits);
    if ('refused' in read) return read;
    const request = RemixRequest.safeParse(read.value);
    if (!request.success) return firstIssue(request.error);
    const parsed: ParsedVideo = {
      endpoint: 'videos',
      body,
      request: { model },
      asked: { prompt: request.data.prompt, seconds, size, image: null, extras: {} },
      own: { model: null },
      form: null,
      remixed: upstreamId,
    };
    return {
      body,
      dialect: openaiAnswers,
      parsed,
      pinned: { channelId, keyId: channelKeyId },
      task: videoTask('openai', parsed, { answer: openaiVideo, source: taskId, action: 'remix' }),
    };
  };

/** The addresses of OpenAI's videos that can spend. */
export const openaiVideoSpending = (deps: TaskDeps): readonly SpendingRoute[] => [
  { endpoint: 'videos', name: VIDEOS, dialect: openaiAnswers, hubBody: null, prepare: prepareVideo(deps) },
  { endpoint: 'videos', name: REMIX, dialect: openaiAnswers, hubBody: null, prepare: prepareRemix(deps) },
];

const MOST_LISTED = 100;

const listed = async (tasks: TaskDesk, call: Call, { user }: Caller): Promise<object | Refusal> => {
  const { limit: given = '20', after, order = 'desc' } = call.req.query;
  const limit = Number(given);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST_LISTED)
    return refuse('invalid_request', `limit: expected a number from 1 to ${MOST_LISTED}.`, { param: 'limit' });
  if (order !== 'asc' && order !== 'desc') return refuse('invalid_request', 'order: expected asc or desc.', { param: 'order' });
  let behind = {};
  if (after !== undefined) {
    const id = TaskId.safeParse(after);
    const last = id.success ? await tasks.list.find(id.data, user.userId) : null;
    if (last === null) return refuse('invalid_request', 'after: there is no such video.', { param: 'after' });
    behind = { [order === 'desc' ? 'before' : 'after']: BigInt(last.submittedPosition) };
  }
  const documents = await tasks.list.list({ userId: user.userId, shape: 'openai', order, ...behind, limit: limit + 1 });
  const data = documents.slice(0, limit);
  return openaiList(data.map(listedOpenaiVideo), documents.length > limit);
};

/** The addresses of OpenAI's videos at which it is only looked. */
export const addOpenaiVideoRoutes = ({ router, tasks, look, notThisMethod }: TaskRoutesDeps): void => {
  const own =
    (work: (desk: TaskDesk, task: SeenTask['task'], call: Call, caller: Caller) => Promise<object | Refusal | null>) =>
    async (call: Call, caller: Caller): Promise<void> => {
      const task = tasks === null ? NO_TASKS : await tasks.own(caller.user.userId, String(call.req.params['id']));
      const answer = tasks === null || isRefusal(task) ? (task as Refusal) : await work(tasks, task, call, caller);
      if (answer === null) return;
      return isRefusal(answer) ? sendRefusal(call, answer) : sendJson(call, 200, answer);
    };

  router.get(
    VIDEOS,
    look(VIDEOS, async (call, caller) => {
      const answer = tasks === null ? NO_TASKS : await listed(tasks, call, caller);
      return isRefusal(answer) ? sendRefusal(call, answer) : sendJson(call, 200, answer);
    }),
  );
  router
    .route(VIDEO)
    .get(
      look(
        VIDEO,
        own(async (desk, task) => {
          const seen = await desk.look(task);
          return openaiVideo(seen.task, seen.said);
        }),
      ),
    )
    .delete(
      look(
        VIDEO,
        own(async (desk, task, _call, caller) => {
          const deleted = await desk.delete(caller.user.userId, task);
          return isRefusal(deleted) ? deleted : { id: task.submission.taskId, object: 'video.deleted', deleted: true };
        }),
      ),
    )
    .all(notThisMethod('GET or DELETE')(VIDEO));
  router
    .route(CONTENT)
    .get(
      look(
        CONTENT,
        own(async (desk, task, call) => {
          const variant = call.req.query['variant'] ?? 'video';
          if (variant !== 'video' && variant !== 'thumbnail' && variant !== 'spritesheet')
            return refuse('invalid_request', 'variant: expected video, thumbnail or spritesheet.', { param: 'variant' });
          return streamContent(desk, task, call, variant);
        }),
      ),
    )
    .all(notThisMethod('GET')(CONTENT));
  router.all(REMIX, notThisMethod('POST')(REMIX));
};
