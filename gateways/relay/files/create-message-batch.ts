import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { providerOf } from '../../../domain/providers/providers.ts';
import { servesGroup } from '../../../domain/relay/choose-channel.ts';
import { MessageBatchRequest } from '../../../schemas/anthropic/batches-request.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { DirectoryChannel } from '../../ports/directory.ts';
import { mayUseModel } from '../authenticate.ts';
import type { Call, Caller } from '../call.ts';
import { parseMessages } from '../dialects/anthropic-requests.ts';
import { rulesOf } from '../endpoints/endpoints.ts';
import { firstIssue, readObject } from '../parse.ts';
import { pick } from '../pass-through/open-channels.ts';
import { readBody } from '../read-body.ts';
import type { RelayDeps } from '../relay-deps.ts';
import { mappedBy } from '../upstream-address.ts';
import { batchRatio } from './batch-ratio.ts';
import { BatchTotal, type FindBatchPrice } from './batch-total.ts';
import type { FileDesk } from './file-desk.ts';
import { handIn, namedBatch, refused, type Created, type HandInDeps } from './hand-in-batch.ts';

export interface CreateMessagesDeps extends HandInDeps, Pick<RelayDeps, 'states' | 'random' | 'sandboxUrl'> {}

/** How many requests are read before others have their turn. */
const A_TURN = 200;

const WINDOW = '24h';

const wrong = (index: number, why: string): Refusal =>
  refuse('invalid_request', `requests.${index}.params: ${why}`, { param: `requests.${index}.params` });

/** Channels that batches of a model can be given to. */
const channelsFor = ({ directory }: CreateMessagesDeps, { user }: Caller, model: string): readonly DirectoryChannel[] =>
  directory.channelsForModel(model).filter((channel) => {
    const { provider, endpoints } = channel.settings;
    const row = providerOf(provider);
    const takes = endpoints === undefined ? row?.serves.includes('batches') === true : endpoints.includes('batches');
    return row?.dialect === 'anthropic' && takes && servesGroup(channel, user.group);
  });

const priceFor =
  (deps: CreateMessagesDeps, caller: Caller): FindBatchPrice =>
  (model) => {
    const param = { param: 'requests.0.params.model' };
    if (!mayUseModel(caller, model)) return refuse('model_not_allowed', `This API key may not use the model "${model}".`, param);
    if (channelsFor(deps, caller, model).length === 0)
      return refuse('model_not_found', `No channel takes batches of the model "${model}".`, param);
    const listed = deps.directory.price(model);
    const rules = rulesOf('chat');
    if (listed === undefined || !rules.kinds.has(listed.price.kind) || !rules.canCharge(listed.price))
      return refuse('model_without_price', `The model "${model}" has no price for chats.`, param);
    return { ...listed, ratio: batchRatio(deps.directory.groupRatio(caller.user.group), listed.price) };
  };

const requestOf = ({ limits }: CreateMessagesDeps, body: Buffer): MessageBatchRequest | Refusal => {
  const read = readObject(body, [], limits);
  if (isRefusal(read)) return read;
  const asked = MessageBatchRequest.safeParse(read.value);
  if (!asked.success) return firstIssue(asked.error);
  const ids = new Set(asked.data.requests.map(({ custom_id: id }) => id));
  return ids.size === asked.data.requests.length
    ? asked.data
    : refuse('invalid_request', 'requests: every custom_id may be there once.', { param: 'requests' });
};

/** A batch of Anthropic's, whose requests come with it. */
export const createMessageBatch = async (deps: CreateMessagesDeps, desk: FileDesk, call: Call, caller: Caller): Promise<Created | null> => {
  const body = await readBody(call.req, deps.limits.bodyBytes, 'json', call);
  if (body === null) return null;
  if (isRefusal(body)) return refused(body);
  const asked = requestOf(deps, body);
  if (isRefusal(asked)) return refused(asked);
  const payloadHash = createHash('sha256').update(body).digest('hex');
  const named = await namedBatch(desk, call, caller, (submitted) => submitted.payloadHash === payloadHash);
  if ('kind' in named) return named;

  const total = new BatchTotal(priceFor(deps, caller));
  for (const [index, { params }] of asked.requests.entries()) {
    if (index % A_TURN === A_TURN - 1) await setImmediate();
    const parsed = parseMessages(Buffer.from(JSON.stringify(params)), deps.limits);
    if (isRefusal(parsed)) return refused(wrong(index, parsed.message));
    const unfit = total.add(parsed);
    if (unfit !== null) return refused(typeof unfit === 'string' ? wrong(index, unfit) : unfit);
  }
  const { priced } = total;
  if (priced === null) return refused(refuse('invalid_request', 'The batch has no requests.'));
  const { model } = priced;

  const channels = channelsFor(deps, caller, model);
  const channel = pick(channels, model, deps.states, deps.random(), deps.sandboxUrl());
  const picked = channel === null ? null : deps.states.nextKey(channel, null, null, deps.random());
  if (channel === null || picked === null || !picked.usable)
    return refused(refuse('no_channel', undefined, { retryAfterSeconds: deps.states.secondsUntilReady(channels) }));
  const upstreamModel = mappedBy(channel.settings, model)?.upstreamModel ?? model;
  // Said anew, so that what was counted is what the upstream reads.
  const requests = asked.requests.map((each) => ({ ...each, params: { ...each.params, model: upstreamModel } }));
  const headers: Record<string, string> = {};
  for (const name of ['anthropic-version', 'anthropic-beta']) {
    const value = call.req.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  return handIn(deps, desk, call, caller, {
    ...{ batchId: named.batchId, inputFileId: null, endpoint: '/v1/messages', window: WINDOW, total, priced, payloadHash, headers },
    ...{ channelId: channel.channelId, channelKeyId: picked.key?.keyId ?? null },
    body: Buffer.from(JSON.stringify({ requests })),
    inOurWords: (text) => text,
  });
};
