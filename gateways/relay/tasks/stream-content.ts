import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { PLATFORMS } from '../../../domain/task/platforms/platforms.ts';
import type { UpstreamExchange, UpstreamHeaders, UpstreamListener, UpstreamRequest } from '../../ports/upstream.ts';
import { sendHead } from '../answer.ts';
import type { Call } from '../call.ts';
import { placeRequest } from '../upstream-place.ts';
import type { SeenTask, TaskDesk } from './task-desk.ts';

/** How long nothing may come. */
const SILENCE_MS = 60_000;

/** What of an upstream's head a client may see. */
const PASSED = ['content-type', 'content-length', 'content-disposition', 'etag', 'last-modified'] as const;

const headOf = (headers: UpstreamHeaders): readonly string[] =>
  PASSED.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [name, value];
  });

/** Passes an upstream's file on as fast as it is read; `null` once it has begun. */
const passOn = (desk: TaskDesk, request: UpstreamRequest, call: Call): Promise<Refusal | null> =>
  new Promise((resolve) => {
    const { res } = call;
    let exchange: UpstreamExchange | null = null;
    let isPassing = false;
    let isOver = false;
    const done = (refusal: Refusal | null): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      resolve(refusal);
    };
    const giveUp = (refusal: Refusal): void => {
      exchange?.abort();
      // Half a file must not look like a whole one.
      if (isPassing) res.destroy();
      done(isPassing ? null : refusal);
    };
    const timer = setTimeout(() => giveUp(refuse('upstream_timed_out')), SILENCE_MS);
    const listener: UpstreamListener = {
      headers: (status, headers) => {
        if (status !== 200) return giveUp(refuse(status === 404 ? 'not_found' : 'upstream_failed', `The upstream answered ${status}.`));
        isPassing = true;
        sendHead(call, 200, headOf(headers));
      },
      data: (chunk) => {
        timer.refresh();
        return isOver || res.write(chunk);
      },
      end: () => {
        if (isOver) return;
        res.end();
        done(null);
      },
      failed: ({ message }) => {
        call.detail = message;
        giveUp(refuse('upstream_failed'));
      },
    };
    res.on('drain', () => exchange?.resume());
    res.on('close', () => {
      if (isOver) return;
      exchange?.abort();
      done(null);
    });
    exchange = desk.asking.upstream.send(request, listener);
    if (isOver) exchange.abort();
  });

const fileAt = (address: string): UpstreamRequest | null => {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  // No credential goes along: the address is one that an upstream gave, and it may be anybody's.
  return { origin: url.origin, path: url.pathname + url.search, method: 'GET', headers: { accept: '*/*' }, body: null, trusted: false };
};

/** What a task made, passed on from wherever it lies; `null` once that has begun. */
export const streamContent = async (desk: TaskDesk, task: SeenTask['task'], call: Call, variant: string): Promise<Refusal | null> => {
  const { submission } = task;
  const { platform, upstreamAction, upstreamId } = submission;
  const seen = await desk.look(task);
  if (seen.task.status !== 'succeeded') return refuse('wrong_state', `It is not ready: the task is ${seen.task.status}.`);
  const rules = PLATFORMS[platform];
  if (platform === 'openai') {
    const query = variant === 'video' ? '' : `?variant=${variant}`;
    const path = `${rules.path(upstreamAction, upstreamId)}/content${query}`;
    const request = await placeRequest(desk.asking, submission, { method: 'GET', path, headers: { accept: '*/*' } });
    return request === null ? refuse('upstream_failed', 'The channel that made it is gone.') : passOn(desk, request, call);
  }
  if (variant !== 'video') return refuse('invalid_request', 'There is nothing else of it.', { param: 'variant' });
  const address = rules.made(seen.said)[0];
  const request = address === undefined ? null : fileAt(address);
  return request === null ? refuse('upstream_failed', 'The upstream does not say where the file is.') : passOn(desk, request, call);
};
