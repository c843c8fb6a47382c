import { ceilDivide } from '../../../domain/pricing/cost.ts';
import { servesGroup } from '../../../domain/relay/choose-channel.ts';
import { isoInstant } from '../../../domain/kernel/iso-instant.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { AttemptId } from '../../../schemas/ids.ts';
import { LARGEST_AMOUNT, type Money } from '../../../schemas/money.ts';
import { BatchRequest } from '../../../schemas/openai/batch-request.ts';
import { RATIO_ONE, type Ratio } from '../../../schemas/price.ts';
import { mayUseModel } from '../authenticate.ts';
import type { Call, Caller } from '../call.ts';
import { CLIENT_LEFT, elapsed } from '../held-call.ts';
import { rulesOf } from '../endpoints/endpoints.ts';
import { IDEMPOTENCY_KEY } from '../kept-answers.ts';
import { firstIssue, readObject } from '../parse.ts';
import { readBody } from '../read-body.ts';
import type { RelayDeps } from '../relay-deps.ts';
import { mappedBy } from '../upstream-address.ts';
import { BatchInput, ENDPOINT_OF, type BatchPrice } from './batch-input.ts';
import type { BatchSubmission, FileDesk, FileUpload, SeenBatch } from './file-desk.ts';
import { readLines } from './file-lines.ts';
import { askPlace } from './file-place.ts';

type Json = Readonly<Record<string, unknown>>;

export type CreateDeps = Pick<RelayDeps, 'directory' | 'spending' | 'limits' | 'clock' | 'stopwatch' | 'ids' | 'metrics'>;

export type Created =
  | { readonly kind: 'created'; readonly said: Json }
  /** By an earlier request with the same `Idempotency-Key`. */
  | { readonly kind: 'known'; readonly batch: SeenBatch }
  /** The upstream's own words. */
  | { readonly kind: 'passed'; readonly status: number; readonly body: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const refused = (refusal: Refusal): Created => ({ kind: 'refused', refusal });

/** A model that a batch may be of: one that this caller may use, that is priced, and that the file's channel has under the same name, since files are passed on as they are. */
const priceFor =
  ({ directory }: CreateDeps, caller: Caller, upload: FileUpload, endpoint: BatchRequestOf['endpoint']) =>
  (model: string): (Omit<BatchPrice, 'model'> & { readonly priceListId: BatchSubmission['priceListId'] }) | Refusal => {
    const param = { param: 'input_file_id' };
    if (!mayUseModel(caller, model)) return refuse('model_not_allowed', `This API key may not use the model "${model}".`, param);
    const channel = directory.channelsForModel(model).find(({ channelId }) => channelId === upload.channelId);
    if (channel === undefined || !servesGroup(channel, caller.user.group))
      return refuse('model_not_found', `The model "${model}" is not served where the input file lies.`, param);
    if (channel.settings.endpoints?.includes('batches') === false)
      return refuse('endpoint_not_allowed', 'Where the input file lies no batches are taken.');
    const { upstreamModel } = mappedBy(channel.settings, model) ?? { upstreamModel: model };
    if (upstreamModel !== model)
      return refuse(
        'invalid_request',
        `The model "${model}" has another name at its upstream, and batches are passed on as they are.`,
        param,
      );
    const listed = directory.price(model);
    const rules = rulesOf(ENDPOINT_OF[endpoint]);
    if (listed === undefined || !rules.kinds.has(listed.price.kind) || !rules.canCharge(listed.price))
      return refuse('model_without_price', `The model "${model}" has no price for ${endpoint}.`, param);
    const group = BigInt(directory.groupRatio(caller.user.group));
    const ratio = Number(ceilDivide(group * BigInt(listed.price.batchRatio ?? RATIO_ONE), BigInt(RATIO_ONE))) as Ratio;
    return { ...listed, ratio };
  };

type BatchRequestOf = ReturnType<(typeof BatchRequest)['parse']>;

const requestOf = async ({ limits }: CreateDeps, call: Call): Promise<BatchRequestOf | Refusal | null> => {
  const body = await readBody(call.req, limits.bodyBytes);
  if (body === null || 'refused' in body) return body;
  const read = readObject(body, [], limits);
  if ('refused' in read) return read;
  const parsed = BatchRequest.safeParse(read.value);
  return parsed.success ? parsed.data : firstIssue(parsed.error);
};

/** What the batch's requests can cost at most, read from the file where it lies. */
const readInput = async (
  deps: CreateDeps,
  desk: FileDesk,
  caller: Caller,
  upload: FileUpload,
  endpoint: BatchRequestOf['endpoint'],
): Promise<{ readonly input: BatchInput; readonly priced: BatchPrice; readonly priceListId: BatchSubmission['priceListId'] } | Refusal> => {
  let priceListId: BatchSubmission['priceListId'] | null = null;
  const find = priceFor(deps, caller, upload, endpoint);
  const input = new BatchInput(endpoint, deps.limits, (model) => {
    const found = find(model);
    if (!isRefusal(found)) priceListId = found.priceListId;
    return found;
  });
  const read = await readLines(desk.asking, upload, upload.upstreamId, deps.limits.bodyBytes, (line) => input.add(line));
  if (input.refusal !== null) return input.refusal;
  if (read.kind !== 'read') return refuse('upstream_failed', 'The input file cannot be read where it lies; try again.');
  const { priced } = input;
  if (priced === null || priceListId === null)
    return refuse('invalid_request', 'The input file has no requests.', { param: 'input_file_id' });
  return { input, priced, priceListId };
};

/**
 * Hands a batch in. Its worst case is charged before its upstream is asked, since nobody holds money for a day; what was too much is paid
 * back once it is done. It is on record before anything is charged: whatever dies in between, somebody finds it and pays back what is owed.
 */
export const createBatch = async (deps: CreateDeps, desk: FileDesk, call: Call, caller: Caller): Promise<Created | null> => {
  const asked = await requestOf(deps, call);
  if (asked === null) return null;
  if (isRefusal(asked)) return refused(asked);
  const key = call.req.headers['idempotency-key'];
  if (key !== undefined && (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)))
    return refused(refuse('invalid_request', 'An Idempotency-Key has 1 to 255 printable characters without spaces.'));
  const { tokenId } = caller.token;
  const { userId } = caller.user;
  const batchId = desk.nextBatchId(tokenId, key ?? null);
  const known = key === undefined ? null : await desk.batch(batchId);
  if (known !== null && !isRefusal(known)) {
    const isSame = known.submitted.inputFileId === asked.input_file_id && known.submitted.endpoint === asked.endpoint;
    return isSame ? { kind: 'known', batch: known } : refused(refuse('idempotency_conflict'));
  }
  if (known !== null && known.refused !== 'not_found') return refused(known);

  const upload = await desk.ownFile(tokenId, asked.input_file_id);
  if (isRefusal(upload)) return refused(upload);
  if (upload.purpose !== 'batch')
    return refused(
      refuse('invalid_request', `The file was uploaded for "${upload.purpose}", and not for "batch".`, { param: 'input_file_id' }),
    );
  const read = await readInput(deps, desk, caller, upload, asked.endpoint);
  if (isRefusal(read)) return refused(read);
  const { input, priced, priceListId } = read;
  const { amount } = input;
  call.model = priced.model;
  if (amount > LARGEST_AMOUNT) return refused(refuse('insufficient_quota'));
  const { channelId, channelKeyId } = upload;
  const { price, ratio } = priced;

  const hold = await deps.spending.reserve({
    ...{ requestId: call.requestId, userId, tokenId, model: priced.model, priceListId, amount, least: amount },
  });
  if (isRefusal(hold)) return refused(hold);
  const release = async (reconcile: boolean, status: number): Promise<void> => {
    const facts = call.facts('batches', status, elapsed(deps, call));
    await deps.spending.release(hold, { reason: 'upstream_failed', reconcile, call: facts });
  };
  const lost = await hold.durable;
  if (lost !== null) return refused(lost);
  const at = isoInstant(deps.clock.now());
  const submission: BatchSubmission = {
    ...{ batchId, userId, tokenId, inputFileId: upload.fileId, channelId, channelKeyId, endpoint: asked.endpoint },
    ...{ window: asked.completion_window, requests: input.requests, leaseId: hold.leaseId, requestId: call.requestId },
    ...{ held: hold.amount, priceListId, price, ratio, at },
  };
  const submitted = await desk.record(submission, { kind: 'submit', submission });
  if (isRefusal(submitted)) {
    await release(false, 409);
    return refused(submitted);
  }
  const costRatio = deps.directory.channelsForModel(priced.model).find((each) => each.channelId === channelId)?.settings.costRatio ?? ratio;
  const upstreamCost = (ratio === 0 ? 0n : ceilDivide(hold.amount * BigInt(costRatio), BigInt(ratio))) as Money;
  const attemptId = deps.ids.next('att') as AttemptId;
  call.channelId = channelId;
  const charged = await deps.spending.charge(hold, {
    ...{ channelId, attemptId, priceListId, groupRatio: ratio, usage: {}, basis: 'held', computed: hold.amount, upstreamCost },
    call: call.facts('batches', call.clientGone ? CLIENT_LEFT : 200, elapsed(deps, call)),
  });
  const seen: SeenBatch = { ...submitted, submitted: submission };
  // Whether it is charged is for the log to say: whoever settles it looks there.
  if (isRefusal(charged)) {
    await desk.giveUp(seen);
    return refused(charged);
  }
  call.usage = {};
  call.basis = 'held';
  call.cost = charged.amount;
  deps.metrics.charged(priced.model, 'held', charged.amount);

  const answer = await askPlace(desk.asking, upload, {
    method: 'POST',
    path: '/batches',
    body: Buffer.from(JSON.stringify({ ...asked, input_file_id: upload.upstreamId })),
    headers: { 'content-type': 'application/json' },
  });
  const upstreamId = answer !== null && isRecord(answer.said) && typeof answer.said['id'] === 'string' ? answer.said['id'] : null;
  if (answer === null || answer.status !== 200 || upstreamId === null || !isRecord(answer.said)) {
    await desk.giveUp(seen);
    call.cost = 0n as Money;
    if (answer === null || answer.status === 401 || answer.status === 402 || answer.status >= 500 || answer.status < 400)
      return refused(refuse('upstream_failed'));
    return { kind: 'passed', status: answer.status, body: answer.text.replaceAll(upload.upstreamId, upload.fileId) };
  }
  const start = { batchId, upstreamId, charged: charged.amount, at: isoInstant(deps.clock.now()) };
  const started = await desk.record(submission, { kind: 'start', start });
  if (isRefusal(started)) {
    await askPlace(desk.asking, upload, { method: 'POST', path: `/batches/${encodeURIComponent(upstreamId)}/cancel` });
    await desk.giveUp(seen);
    return refused(started);
  }
  const { said } = await desk.hear({ ...started, submitted: submission }, answer.said);
  return { kind: 'created', said };
};
