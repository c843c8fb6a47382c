import { once } from 'node:events';
import { refuse } from '../../../schemas/errors.ts';
import { sendHead, sendRefusal } from '../answer.ts';
import type { Call } from '../call.ts';
import { ChunkedBody } from '../chunked-body.ts';
import { EVENT_STREAM } from '../dialects/event-stream.ts';
import type { EventBuffer } from './event-buffer.ts';

const LOST = refuse('not_found', 'The events of this response are not kept any more. Ask for the response itself.');

const HEADERS = ['content-type', EVENT_STREAM, 'cache-control', 'no-cache, no-transform', 'x-accel-buffering', 'no'] as const;

/** Sends all events of an answer behind a number, and those to come, up to its last. */
export const resumeStream = async (
  call: Call,
  events: EventBuffer,
  responseId: string,
  after: number,
  isOver: () => Promise<boolean>,
): Promise<void> => {
  const { res, dialect } = call;
  const left = new AbortController();
  res.on('close', () => left.abort());
  res.on('error', () => left.abort());
  let body: ChunkedBody | null = null;
  const begin = (): ChunkedBody => {
    sendHead(call, 200, HEADERS);
    return new ChunkedBody(res);
  };
  for await (const event of events.read(responseId, after, left.signal, isOver)) {
    if (left.signal.aborted) break;
    if (event === 'lost' && body === null) {
      sendRefusal(call, LOST);
      return;
    }
    body ??= begin();
    const text =
      event === 'alive'
        ? dialect.heartbeat
        : event === 'lost'
          ? Buffer.from(
              `event: error\ndata: ${JSON.stringify({ type: 'error', code: 'events_lost', message: LOST.message, param: null })}\n\n`,
            )
          : Buffer.from(event.text);
    if (!body.write(text)) await once(res, 'drain', { signal: left.signal }).catch(() => undefined);
  }
  if (left.signal.aborted) res.destroy();
  else (body ?? begin()).end(Buffer.alloc(0));
};
