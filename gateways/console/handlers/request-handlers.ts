import { decodeEvent } from '../../../domain/kernel/event-codec.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import type { Owner, RequestFilter } from '../../ports/console-reads.ts';
import type { Caller } from '../caller.ts';
import type { Call, Handlers, StreamedRow } from '../handler.ts';
import { rowOfEnd, shownTo } from '../request-row.ts';
import type { Routes } from '../routes.ts';
import { givenRange, mayTouch, ownerOf, pageOf, wholeRange } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type RequestHandlers = Pick<Handlers, 'listRequests' | 'readRequestHistogram' | 'tailRequests' | 'readRequest'>;
type Asked = Omit<Parameters<Handlers['listRequests']>[0]['query'], 'cursor' | 'limit'>;
type Row = Parameters<typeof shownTo>[1];

const DAY_MS = 24 * 3_600_000;
const BUCKETS = 60;

/** A call without a status ended with its holder. */
const failed = ({ status }: Row): boolean => (status ?? 599) >= 400;

/** Ended calls as the log records them, for one audience. */
async function* tail(
  log: HandlerDeps['log'],
  owner: Owner,
  { caller, query, signal }: Call<Routes['tailRequests']>,
  after: Position,
): AsyncGenerator<StreamedRow<Row>> {
  for await (const message of log.subscribe({ after, filter: { types: ['QuotaDebited', 'QuotaReleased'] }, signal })) {
    if (message.kind !== 'events') continue;
    for (const recorded of message.events) {
      const event = decodeEvent(recorded);
      if (event.type !== 'QuotaDebited' && event.type !== 'QuotaReleased') continue;
      if (owner !== 'everybody' && event.data.userId !== owner) continue;
      const row = rowOfEnd(event, recorded.recordedAt);
      if (query.model !== undefined && row.model !== query.model) continue;
      if (query.tokenId !== undefined && row.tokenId !== query.tokenId) continue;
      if (query.result !== undefined && failed(row) !== (query.result === 'failed')) continue;
      yield { id: recorded.position.toString(), row: shownTo(caller, row) };
    }
  }
}

export const requestHandlers = ({ reads, log, clock }: HandlerDeps): RequestHandlers => {
  const filterOf = (caller: Caller, query: Asked): RequestFilter | Refusal => {
    const owner = ownerOf(caller, query);
    if (isRefusal(owner)) return owner;
    const { tokenId, channelId, model, endpoint, state, result, errorCode, search } = query;
    return { owner, range: givenRange(query), tokenId, channelId, model, endpoint, state, result, errorCode, search };
  };

  return {
    listRequests: async ({ caller, query }) => {
      const filter = filterOf(caller, query);
      if (isRefusal(filter)) return filter;
      const { rows, nextCursor } = await reads.requests(filter, pageOf(query));
      return { rows: rows.map((row) => shownTo(caller, row)), nextCursor };
    },

    readRequestHistogram: async ({ caller, query }) => {
      const filter = filterOf(caller, query);
      if (isRefusal(filter)) return filter;
      const range = wholeRange(query, clock.now(), DAY_MS);
      return isRefusal(range) ? range : reads.requestHistogram(filter, range, query.buckets ?? BUCKETS);
    },

    tailRequests: async (call) => {
      const owner = ownerOf(call.caller, call.query);
      if (isRefusal(owner)) return owner;
      const resumed = call.lastEventId !== undefined && /^\d{1,19}$/.test(call.lastEventId) ? (BigInt(call.lastEventId) as Position) : null;
      return tail(log, owner, call, resumed ?? (await log.head()));
    },

    readRequest: async ({ caller, params }) => {
      const detail = await reads.request(params.requestId);
      if (detail === null || !mayTouch(caller, detail.request.userId)) return refuse('not_found', 'There is no such request.');
      return { ...detail, request: shownTo(caller, detail.request) };
    },
  };
};
