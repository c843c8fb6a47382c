import { toDollarText } from '../../domain/ledger/money.ts';
import { errorTable, isRefusal, type Refusal } from '../../schemas/errors.ts';
import { sendBody, sendRefusal } from './answer.ts';
import type { Attempted } from './attempted.ts';
import type { Call } from './call.ts';
import { charge, type ChargedCall } from './charge.ts';
import { acceptedEncoding, encodeBody } from './content-encoding.ts';
import { renameModel } from './convert.ts';
import { rulesOf } from './endpoints/endpoints.ts';
import { CLIENT_LEFT, elapsed, release, type HeldCall } from './held-call.ts';
import { bytesOfAnswer, valueOfAnswer } from './hub-answer.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { sendTask } from './tasks/send-task.ts';

type Plain = Extract<Attempted, { kind: 'plain' }>;

/** Whether the charge is all that a plain answer has to wait for. Its reservation is before it in the log, and as durable as the charge is then. */
export const waitsForChargeOnly = ({ task, call }: HeldCall): boolean => task === null && call.keep === null;

/**
 * An answer in one piece: charged, and then sent. No async function, nor what follows it on the way of most calls: it would hold a place for all that
 * any of them names.
 */
export const sendPlain = (deps: PipelineDeps, held: HeldCall, attempted: Plain): Promise<void> => {
  if (held.task !== null) return sendTask(deps, held, held.task, attempted);
  attempted.served.finish('answered');
  return held.call.keep === null ? chargePlain(deps, held, attempted) : keepPlain(deps, held, attempted, held.call.keep);
};

const keepPlain = async (deps: PipelineDeps, held: HeldCall, attempted: Plain, keep: NonNullable<Call['keep']>): Promise<void> => {
  const { call, hold } = held;
  const notKept = await keep(bytesOfAnswer(attempted.body), hold, call.model);
  if (notKept === null) return chargePlain(deps, held, attempted);
  await release(deps, held, 'refused', true, errorTable[notKept.refused].status);
  sendRefusal(call, notKept);
};

/** All that is left before the first byte is the charge. */
const chargePlain = (deps: PipelineDeps, held: HeldCall, attempted: Plain): Promise<void> => {
  const { call, parsed, route: planned, hold } = held;
  const { body, scanned, native, served } = attempted;
  const rules = rulesOf(parsed.endpoint);
  const reading =
    native === null
      ? rules.reading({ body, usage: scanned.usage }, parsed, planned.price)
      : native.reading(bytesOfAnswer(body), scanned.usage);
  call.firstByteMs = elapsed(deps, call);
  held.ended = true;
  const charging = charge(deps, call, hold, parsed, planned, served, call.clientGone ? CLIENT_LEFT : 200, reading, () =>
    native === null ? rules.produced(body) : native.produced(bytesOfAnswer(body)),
  );
  return charging.then((charged) => (isRefusal(charged) ? sendUncharged(held, charged) : answerPlain(deps, held, attempted, charged)));
};

/** Nothing is charged for certain only where not even the reservation was recorded; of what the log did not answer nobody knows. */
const sendUncharged = async ({ call, hold, claim }: HeldCall, refusal: Refusal): Promise<void> => {
  const unreserved = await hold.durable;
  if (unreserved === null || unreserved.refused === 'log_unavailable') claim?.spent();
  else claim?.open();
  sendRefusal(call, refusal);
};

const answerPlain = (deps: PipelineDeps, held: HeldCall, attempted: Plain, charged: ChargedCall): Promise<void> | void => {
  const { call } = held;
  const { body, scanned, native, served } = attempted;
  const { model } = held.route;
  const said =
    native === null && call.dialect.answer !== null
      ? call.dialect.answer(valueOfAnswer(body), call.usage ?? {}, { requestId: call.requestId, model })
      : bytesOfAnswer(served.upstreamModel === model ? body : renameModel(body, scanned.model, model));
  return said instanceof Promise
    ? said.then((told) => sendSaid(deps, held, attempted, charged, told))
    : sendSaid(deps, held, attempted, charged, said);
};

/** What was said, as the client gets it. */
const sendSaid = (
  { limits }: PipelineDeps,
  { call, parsed, claim }: HeldCall,
  { contentType, served }: Plain,
  { cost }: ChargedCall,
  said: Buffer,
): Promise<void> | void => {
  const body = rulesOf(parsed.endpoint).finish(said, parsed);
  const headers = ['x-oblivious-cost', toDollarText(cost), 'x-oblivious-channel', served.channel.channelId];
  claim?.done({ status: 200, headers: ['content-type', contentType, ...headers], body });
  const encoding = body.length < limits.packedBytes ? null : acceptedEncoding(call.req.headers['accept-encoding']);
  if (encoding === null) return sendBody(call, 200, contentType, body, headers);
  headers.push('content-encoding', encoding, 'vary', 'accept-encoding');
  return encodeBody(body, encoding).then((packed) => sendBody(call, 200, contentType, packed, headers));
};
