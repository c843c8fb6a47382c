import { servesGroup } from '../../../domain/relay/choose-channel.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { BatchRequest } from '../../../schemas/openai/batch-request.ts';
import { mayUseModel } from '../authenticate.ts';
import type { Call, Caller } from '../call.ts';
import { rulesOf } from '../endpoints/endpoints.ts';
import { firstIssue, readObject } from '../parse.ts';
import { readBody } from '../read-body.ts';
import { mappedBy } from '../upstream-address.ts';
import { BatchInput, ENDPOINT_OF } from './batch-input.ts';
import { batchRatio } from './batch-ratio.ts';
import type { FindBatchPrice } from './batch-total.ts';
import { isKept, type FileDesk, type FileUpload } from './file-desk.ts';
import { readLines } from './file-lines.ts';
import { handIn, namedBatch, refused, type Created, type HandInDeps } from './hand-in-batch.ts';

type BatchRequestOf = ReturnType<(typeof BatchRequest)['parse']>;

/** A model that a batch may be of: one that this caller may use, that is priced, and that the file's channel has under the same name, since files are passed on as they are. */
const priceFor =
  ({ directory }: HandInDeps, caller: Caller, upload: FileUpload, endpoint: BatchRequestOf['endpoint']): FindBatchPrice =>
  (model) => {
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
    return { ...listed, ratio: batchRatio(directory.groupRatio(caller.user.group), listed.price) };
  };

const requestOf = async ({ limits }: HandInDeps, call: Call): Promise<BatchRequestOf | Refusal | null> => {
  const body = await readBody(call.req, limits.bodyBytes, 'json', call);
  if (body === null || 'refused' in body) return body;
  const read = readObject(body, [], limits);
  if ('refused' in read) return read;
  const parsed = BatchRequest.safeParse(read.value);
  return parsed.success ? parsed.data : firstIssue(parsed.error);
};

/** A batch of OpenAI's, whose requests are read from the file where it lies. */
export const createBatch = async (deps: HandInDeps, desk: FileDesk, call: Call, caller: Caller): Promise<Created | null> => {
  const asked = await requestOf(deps, call);
  if (asked === null) return null;
  if (isRefusal(asked)) return refused(asked);
  const { input_file_id: inputFileId, endpoint } = asked;
  const named = await namedBatch(
    desk,
    call,
    caller,
    (submitted) => submitted.inputFileId === inputFileId && submitted.endpoint === endpoint,
  );
  if ('kind' in named) return named;
  const upload = await desk.ownFile(caller.token.tokenId, inputFileId);
  if (isRefusal(upload)) return refused(upload);
  if (isKept(upload) || upload.purpose !== 'batch')
    return refused(
      refuse('invalid_request', `The file was uploaded for "${upload.purpose}", and not for "batch".`, { param: 'input_file_id' }),
    );
  const input = new BatchInput(endpoint, deps.limits, priceFor(deps, caller, upload, endpoint));
  const question = { method: 'GET', path: `/files/${encodeURIComponent(upload.upstreamId)}/content` } as const;
  const read = await readLines(desk.asking, upload, question, deps.limits.bodyBytes, (line) => input.add(line));
  if (input.refusal !== null) return refused(input.refusal);
  if (read.kind !== 'read') return refused(refuse('upstream_failed', 'The input file cannot be read where it lies; try again.'));
  const { total } = input;
  const { priced } = total;
  if (priced === null) return refused(refuse('invalid_request', 'The input file has no requests.', { param: 'input_file_id' }));
  const { channelId, channelKeyId } = upload;
  return handIn(deps, desk, call, caller, {
    ...{ batchId: named.batchId, inputFileId: upload.fileId, endpoint, window: asked.completion_window, total, priced },
    ...{ channelId, channelKeyId, headers: {} },
    body: Buffer.from(JSON.stringify({ ...asked, input_file_id: upload.upstreamId })),
    inOurWords: (text) => text.replaceAll(upload.upstreamId, upload.fileId),
  });
};
