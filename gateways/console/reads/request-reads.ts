import type { z } from 'zod';
import { leaseStream } from '../../../domain/ledger/lease.ts';
import { ZERO } from '../../../domain/ledger/money.ts';
import type { ConsoleReads, RequestFilter } from '../../ports/console-reads.ts';
import { aftermathOf } from '../../../projections/journal/queries.ts';
import {
  requestById,
  requestHistogram,
  requests,
  type RequestFilter as QueryFilter,
  type RequestRow as Call,
} from '../../../projections/request-log/queries.ts';
import { tokenNames } from '../../../projections/token-lookup/queries.ts';
import type { EventType } from '../../../schemas/events/catalogue.ts';
import type { RequestDetail, RequestRow } from '../../../schemas/http/requests.ts';
import type { LeaseId, RequestId, TokenId } from '../../../schemas/ids.ts';
import { given, instantOf, rangeOf, userOf } from './asked.ts';
import { CursorPosition, cursorsOf } from './cursor.ts';
import { readPage } from './page.ts';
import type { ReadsDeps } from './reads-deps.ts';

type Facts = z.output<typeof RequestDetail>['events'];

const cursors = cursorsOf(CursorPosition);

const filterOf = ({ owner, range, ...asked }: RequestFilter): QueryFilter => ({
  userId: userOf(owner),
  ...rangeOf(range),
  ...given(asked),
});

const rowOf = (
  { position: _position, leaseId: _leaseId, recordedAt: _recordedAt, held: _held, ...call }: Call,
  names: ReadonlyMap<TokenId, string>,
): z.output<typeof RequestRow> => ({ ...call, tokenName: names.get(call.tokenId) ?? null });

const ENDS: ReadonlySet<string> = new Set<EventType>(['QuotaDebited', 'QuotaReleased']);

/** What is on record of a call in the stream of its lease. */
const factsOf = async (log: ReadsDeps['log'], leaseId: LeaseId, requestId: RequestId): Promise<Facts> => {
  const facts: Facts = [];
  for await (const { type, position, recordedAt, data } of log.readStream(leaseStream(leaseId))) {
    if (data['requestId'] !== requestId) continue;
    facts.push({ position: position.toString(), type, recordedAt });
    if (ENDS.has(type)) break;
  }
  return facts;
};

const AFTERWARDS = { overdrawn: 'QuotaOverdrawn', refund: 'ChargeRefunded' } as const satisfies Record<string, EventType>;

export const requestReads = ({ sql, log }: ReadsDeps): Pick<ConsoleReads, 'requests' | 'requestHistogram' | 'request'> => ({
  requests: async (asked, page) => {
    const { rows, nextCursor } = await readPage(
      page,
      cursors,
      (before, limit) => requests(sql, filterOf(asked), { ...given({ before }), limit }),
      ({ position }) => position,
    );
    const names = await tokenNames(sql, userOf(asked.owner), [...new Set(rows.map(({ tokenId }) => tokenId))]);
    return { rows: rows.map((row) => rowOf(row, names)), nextCursor };
  },

  requestHistogram: async (asked, { from, to }, buckets) => {
    const stepMs = Math.max(1, Math.ceil((to - from) / buckets));
    const range = { from: instantOf(from), to: instantOf(to) };
    const filled = await requestHistogram(sql, { ...filterOf(asked), ...range }, stepMs);
    const byStart = new Map(filled.map(({ start, ok, failed, amount }) => [start, { ok, failed, spend: amount }]));
    const starts = Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, index) => instantOf(from + index * stepMs));
    const nothing = { ok: 0, failed: 0, spend: ZERO };
    return { ...range, stepMs, buckets: starts.map((start) => ({ start, ...(byStart.get(start) ?? nothing) })) };
  },

  request: async (requestId) => {
    const found = await requestById(sql, 'all', requestId);
    if (found === null) return null;
    const {
      priceListId,
      groupRatio: _ratio,
      usage,
      computed: _computed,
      overdrawn: _over,
      refunded: _refunded,
      attempts,
      releaseReason,
      reconcile,
      ...call
    } = found;
    const names = await tokenNames(sql, 'all', [call.tokenId]);
    const aftermath = await aftermathOf(sql, 'all', requestId);
    return {
      request: rowOf({ ...call, attempts: attempts.length }, names),
      leaseId: call.leaseId,
      priceListId,
      held: call.held,
      usage,
      releaseReason,
      reconcile,
      attempts: [...attempts],
      events: [
        ...(await factsOf(log, call.leaseId, requestId)),
        ...aftermath.map(({ kind, position, recordedAt }) => ({ position: position.toString(), type: AFTERWARDS[kind], recordedAt })),
      ],
    };
  },
});
