import { ceilDivide } from '../../../domain/pricing/cost.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { isoInstant } from '../../../domain/kernel/iso-instant.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { AttemptId } from '../../../schemas/ids.ts';
import { LARGEST_AMOUNT, type Money } from '../../../schemas/money.ts';
import type { Call, Caller } from '../call.ts';
import { CLIENT_LEFT, elapsed } from '../held-call.ts';
import { IDEMPOTENCY_KEY } from '../kept-answers.ts';
import type { LimitGate } from '../limits/limit-gate.ts';
import { limitHeaders } from '../limits/limit-headers.ts';
import type { RelayDeps } from '../relay-deps.ts';
import type { BatchPrice, BatchTotal } from './batch-total.ts';
import { batchAddress } from './batch-address.ts';
import type { BatchSubmission, FileDesk, SeenBatch } from './file-desk.ts';
import { askPlace, type UpstreamPlace, type PlaceQuestion } from '../upstream-place.ts';

type Json = Readonly<Record<string, unknown>>;

export interface HandInDeps extends Pick<RelayDeps, 'directory' | 'spending' | 'limits' | 'clock' | 'stopwatch' | 'ids' | 'metrics'> {
  readonly gate: LimitGate;
}

export type Created =
  | { readonly kind: 'created'; readonly said: Json; readonly batch: SeenBatch }
  /** By an earlier request with the same `Idempotency-Key`. */
  | { readonly kind: 'known'; readonly batch: SeenBatch }
  /** The upstream's own words. */
  | { readonly kind: 'passed'; readonly status: number; readonly body: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export const refused = (refusal: Refusal): Created => ({ kind: 'refused', refusal });

/** The id of a batch that is asked for, and the batch itself where it was asked for before. */
export const namedBatch = async (
  desk: FileDesk,
  call: Call,
  { token }: Caller,
  isSame: (submitted: BatchSubmission) => boolean,
): Promise<{ readonly batchId: BatchSubmission['batchId']; readonly isNamed: boolean } | Created> => {
  const key = call.req.headers['idempotency-key'];
  if (key !== undefined && (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)))
    return refused(refuse('invalid_request', 'An Idempotency-Key has 1 to 255 printable characters without spaces.'));
  const batchId = desk.nextBatchId(token.tokenId, key ?? null);
  if (key === undefined) return { batchId, isNamed: false };
  const known = await desk.batch(batchId);
  if (isRefusal(known)) return known.refused === 'not_found' ? { batchId, isNamed: true } : refused(known);
  return isSame(known.submitted) ? { kind: 'known', batch: known } : refused(refuse('idempotency_conflict'));
};

/** A batch whose requests are read and counted. */
export interface ReadBatch extends UpstreamPlace {
  readonly batchId: BatchSubmission['batchId'];
  readonly inputFileId: BatchSubmission['inputFileId'];
  readonly endpoint: BatchSubmission['endpoint'];
  readonly window: string;
  readonly payloadHash?: string;
  readonly total: BatchTotal;
  readonly priced: BatchPrice;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** What the upstream says, with our names in the place of its own. */
  readonly inOurWords: (text: string) => string;
}

/** Asks the limits that operators set: a batch counts for as many requests as it has. */
const passLimits = async (deps: HandInDeps, call: Call, caller: Caller, { total, priced }: ReadBatch): Promise<Refusal | null> => {
  if (deps.gate.isOpen) return null;
  const entered = await deps.gate.enterReckoned(call, caller, priced.model, () => total.estimate);
  // A batch is of the models that its requests name, so none can stand in.
  if (entered.kind === 'instead') return refuse('rate_limited', `A limit of the model "${priced.model}" is reached.`);
  call.limitHeaders = limitHeaders(call.dialect.name, entered.standings, deps.clock.now());
  if (entered.kind === 'refused') return entered.refusal;
  call.pass = entered.pass;
  return null;
};

/**
 * Hands a batch in. Its worst case is charged before its upstream is asked, since nobody holds money for a day; what was too much is paid
 * back once it is done. It is on record before anything is charged: whatever dies in between, somebody finds it and pays back what is owed.
 */
export const handIn = async (deps: HandInDeps, desk: FileDesk, call: Call, caller: Caller, read: ReadBatch): Promise<Created> => {
  call.model = read.priced.model;
  const limited = await passLimits(deps, call, caller, read);
  if (limited !== null) return refused(limited);
  const created = await charged(deps, desk, call, caller, read);
  if (call.pass !== null) {
    if (created.kind === 'created') deps.gate.leaveAsReckoned(call.pass);
    else deps.gate.leave(call.pass, null, null);
    call.pass = null;
  }
  return created;
};

const charged = async (deps: HandInDeps, desk: FileDesk, call: Call, caller: Caller, read: ReadBatch): Promise<Created> => {
  const { batchId, inputFileId, endpoint, window, payloadHash, total, channelId, channelKeyId } = read;
  const { model, price, ratio, priceListId } = read.priced;
  const { amount } = total;
  const { tokenId } = caller.token;
  const { userId } = caller.user;
  if (amount > LARGEST_AMOUNT) return refused(refuse('insufficient_quota'));
  const hold = await deps.spending.reserve({
    ...{ requestId: call.requestId, userId, tokenId, model, priceListId, amount, least: amount },
  });
  if (isRefusal(hold)) return refused(hold);
  const lost = await hold.durable;
  if (lost !== null) return refused(lost);
  const at = isoInstant(deps.clock.now());
  const submission: BatchSubmission = {
    ...{ batchId, userId, tokenId, inputFileId, channelId, channelKeyId, endpoint, window, requests: total.requests },
    ...{ leaseId: hold.leaseId, requestId: call.requestId, held: hold.amount, priceListId, price, ratio, at },
    ...(payloadHash === undefined ? {} : { payloadHash }),
  };
  const submitted = await desk.record(submission, { kind: 'submit', submission });
  if (isRefusal(submitted)) {
    const facts = call.facts('batches', 409, elapsed(deps, call));
    await deps.spending.release(hold, { reason: 'upstream_failed', reconcile: false, call: facts });
    return refused(submitted);
  }
  const costRatio = deps.directory.channelsForModel(model).find((each) => each.channelId === channelId)?.settings.costRatio ?? ratio;
  const upstreamCost = (ratio === 0 ? 0n : ceilDivide(hold.amount * BigInt(costRatio), BigInt(ratio))) as Money;
  const attemptId = deps.ids.next('att') as AttemptId;
  call.channelId = channelId;
  const charge = await deps.spending.charge(hold, {
    ...{ channelId, attemptId, priceListId, groupRatio: ratio, usage: {}, basis: 'held', computed: hold.amount, upstreamCost },
    call: call.facts('batches', call.clientGone ? CLIENT_LEFT : 200, elapsed(deps, call)),
  });
  const seen: SeenBatch = { ...submitted, submitted: submission };
  // Whether it is charged is for the log to say: whoever settles it looks there.
  if (isRefusal(charge)) {
    await desk.giveUp(seen);
    return refused(charge);
  }
  call.usage = {};
  call.basis = 'held';
  call.cost = charge.amount;
  deps.metrics.charged(model, 'held', charge.amount);

  const { path, headers } = batchAddress(endpoint);
  const question: PlaceQuestion = {
    method: 'POST',
    path,
    body: read.body,
    headers: { ...headers, ...read.headers, 'content-type': 'application/json' },
  };
  // Whoever is given up too soon may have taken it, and works for nothing.
  const answer = await askPlace(desk.asking, read, question, deps.limits.answerMs);
  const upstreamId = answer !== null && isRecord(answer.said) && typeof answer.said['id'] === 'string' ? answer.said['id'] : null;
  if (answer === null || answer.status !== 200 || upstreamId === null || !isRecord(answer.said)) {
    await desk.giveUp(seen);
    call.cost = 0n as Money;
    if (answer === null || answer.status === 401 || answer.status === 402 || answer.status >= 500 || answer.status < 400)
      return refused(refuse('upstream_failed'));
    return { kind: 'passed', status: answer.status, body: read.inOurWords(answer.text) };
  }
  const start = { batchId, upstreamId, charged: charge.amount, at: isoInstant(deps.clock.now()) };
  const started = await desk.record(submission, { kind: 'start', start });
  if (isRefusal(started)) {
    await askPlace(desk.asking, read, { method: 'POST', path: `${path}/${encodeURIComponent(upstreamId)}/cancel`, headers });
    await desk.giveUp(seen);
    return refused(started);
  }
  const { said, batch } = await desk.hear({ ...started, submitted: submission }, answer.said);
  return { kind: 'created', said, batch };
};
