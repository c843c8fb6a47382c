import type { Refusal } from '../../schemas/errors.ts';
import { sendRefusal } from './answer.ts';
import { attempt } from './attempt.ts';
import type { Attempted } from './attempted.ts';
import { rulesOf } from './endpoints/endpoints.ts';
import type { HeldCall } from './held-call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { sendHeard } from './send-heard.ts';
import { sendNothing } from './send-nothing.ts';
import { sendPassed } from './send-passed.ts';
import { sendPlain, waitsForChargeOnly } from './send-plain.ts';
import { sendStream } from './send-stream.ts';

/** `call.detail` says more in the log; the hold, if any, gives itself back. */
const notRecorded = (held: HeldCall, refusal: Refusal): void => {
  held.ended = true;
  held.claim?.open();
  sendRefusal(held.call, refusal);
};

/** What comes of a call whose reservation is on record, where it is no plain answer. */
const conclude = (deps: PipelineDeps, held: HeldCall, attempted: Exclude<Attempted, { kind: 'plain' }>): Promise<void> => {
  switch (attempted.kind) {
    case 'stream':
      return rulesOf(held.parsed.endpoint).heard === undefined ? sendStream(deps, held, attempted) : sendHeard(deps, held, attempted);
    case 'passed':
      return sendPassed(deps, held, attempted);
    case 'refused':
    case 'interrupted':
      return sendNothing(deps, held, attempted);
  }
};

/** From the reservation on: the upstream is at work while the reservation becomes durable, and nothing goes out before it is. */
export const serve = async (deps: PipelineDeps, held: HeldCall, loweredOutput: number | null): Promise<void> => {
  const { call, hold } = held;
  const recording = hold.durable.then((refusal) => {
    if (refusal !== null) call.interrupt('not_recorded');
    return refusal;
  });
  const attempted = await attempt(deps, call, held.parsed, held.route, loweredOutput);
  // Its charge follows the reservation into the log, and nothing goes out before both are there.
  if (attempted.kind === 'plain' && waitsForChargeOnly(held)) return sendPlain(deps, held, attempted);
  const refusal = await recording;
  if (refusal !== null) {
    if (attempted.kind === 'stream') attempted.source.abort();
    if (attempted.kind === 'stream' || attempted.kind === 'plain') attempted.served.finish('aborted');
    return notRecorded(held, refusal);
  }
  // What is returned is waited for by one more promise, and what is awaited holds this frame: a stream may last for long, a plain answer does not.
  if (attempted.kind !== 'plain') return conclude(deps, held, attempted);
  await sendPlain(deps, held, attempted);
};
