import { isRefusal, refuse } from '../../schemas/errors.ts';
import type { AttemptDeps } from './attempt-deps.ts';
import type { Attempted } from './attempted.ts';
import { charge } from './charge.ts';
import { rulesOf } from './endpoints/endpoints.ts';
import { hearStream } from './heard-stream.ts';
import { CLIENT_LEFT, release, type HeldCall } from './held-call.ts';
import { errorOfEnd, endedByClient, outcomeOfEnd } from './stream-end.ts';

/**
 * Passes a stream on that is no text written token by token: pictures, sound, transcripts. Its last bytes are held back until
 * the charge is on record; where it breaks off there is no last byte, so that nobody takes half of it for the whole.
 */
export const sendHeard = async (deps: AttemptDeps, held: HeldCall, attempted: Extract<Attempted, { kind: 'stream' }>): Promise<void> => {
  const { call, parsed, hold, claim, route } = held;
  const { served, source, contentType } = attempted;
  const rules = rulesOf(parsed.endpoint);
  const headers = ['x-oblivious-channel', served.channel.channelId];
  call.streamed = true;
  if (claim !== null) call.sent = [];
  const { end, heard, empty, rest } = await hearStream(deps, call, source, contentType, headers);

  const left = endedByClient(end);
  served.finish(outcomeOfEnd(end));
  call.errorCode = errorOfEnd(end);
  const status = call.res.headersSent ? 200 : CLIENT_LEFT;
  const reading = rules.heard?.(heard, parsed, route.price) ?? { kind: 'absent' };
  if (empty && !left) {
    await release(deps, held, end === 'shutdown' ? 'shutdown' : 'upstream_failed', true, status);
    call.res.destroy();
    return;
  }
  held.ended = true;
  const charged = await charge(deps, call, hold, parsed, route, served, status, reading, () => ({ texts: [heard.text], tokens: 0 }));
  if (isRefusal(charged)) {
    claim?.spent();
    call.errorCode = charged.refused;
  }
  const { body } = call;
  if (body === null || call.clientGone || left) return void call.res.destroy();
  const isEvents = contentType.toLowerCase().startsWith('text/event-stream');
  if (!isRefusal(charged) && (end === 'done' || end === 'error_event')) {
    call.sent?.push(rest);
    body.end(rest);
  } else if (isEvents) {
    const refusal = isRefusal(charged) ? charged : refuse(call.errorCode ?? 'upstream_failed');
    body.end(Buffer.from(`data: ${call.dialect.errorBody(refusal, call.requestId)}\n\n`));
  } else call.res.destroy();
  if (claim === null || isRefusal(charged)) return;
  // Half an answer is not worth repeating, and the whole one was not paid for.
  if (end === 'done') claim.done({ status: 200, headers: ['content-type', contentType, ...headers], body: Buffer.concat(call.sent ?? []) });
  else claim.spent();
};
