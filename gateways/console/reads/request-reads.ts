import type { z } from 'zod';
import { leaseStream } from '../../../domain/ledger/lease.ts';
import {
  requestById,
  requestHistogram,
  requests,
  type RequestFilter as Asked,
  type RequestRow as Stored,
} from '../../../projections/request-log/queries.ts';
import { tokenNames } from '../../../projections/token-lookup/queries.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import type { RequestDetail, RequestRow } from '../../../schemas/http/requests.ts';
import type { LeaseId, RequestId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import type { ConsoleReads, RequestFilter } from '../../ports/console-reads.ts';
import { instant, instantsOf, pageOfRows, userIdOf, type ReadsDeps } from './reads-deps.ts';

type Row = z.output<typeof RequestRow>;

const rowOf = (
  { position: _position, leaseId: _leaseId, recordedAt: _recordedAt, held: _held, ...row }: Stored,
  tokenName: string | undefined,
): Row => ({ ...row, tokenName: tokenName ?? null });

const filterOf = ({ owner, range, tokenId, channelId, model, endpoint, state, result, errorCode, search }: RequestFilter): Asked => ({
  userId: userIdOf(owner),
  ...instantsOf(range),
  ...(tokenId === undefined ? {} : { tokenId }),
  ...(channelId === undefined ? {} : { channelId }),
  ...(model === undefined ? {} : { model }),
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(state === undefined ? {} : { state }),
  ...(result === undefined ? {} : { result }),
  ...(errorCode === undefined ? {} : { errorCode }),
  ...(search === undefined ? {} : { search }),
});

type RequestReads = Pick<ConsoleReads, 'requests' | 'requestHistogram' | 'request'>;

export const requestReads = ({ sql, log }: ReadsDeps): RequestReads => {
  /** The facts that a call is made of, where they stand in the log. */
  const factsOf = async (leaseId: LeaseId, requestId: RequestId): Promise<z.output<typeof RequestDetail>['events']> => {
    const facts: z.output<typeof RequestDetail>['events'] = [];
    for await (const { type, data, position, recordedAt } of log.readStream(leaseStream(leaseId)))
      if (data.requestId === requestId) facts.push({ position: position.toString(), type, recordedAt });
    return facts;
  };

  return {
    requests: async (filter, page) => {
      const before = /^\d{1,19}$/.test(page.cursor ?? '') ? (BigInt(page.cursor ?? 0) as Position) : undefined;
      const found = await requests(sql, filterOf(filter), { limit: page.limit + 1, ...(before === undefined ? {} : { before }) });
      const { rows, nextCursor } = pageOfRows(found, page, ({ position }) => position.toString());
      const names = await tokenNames(sql, 'all', [...new Set(rows.map(({ tokenId }) => tokenId))]);
      return { rows: rows.map((row) => rowOf(row, names.get(row.tokenId))), nextCursor };
    },

    requestHistogram: async (filter, { from, to }, count) => {
      const stepMs = Math.max(1_000, Math.ceil((to - from) / count));
      const found = new Map(
        (await requestHistogram(sql, { ...filterOf(filter), from: instant(from), to: instant(to) }, stepMs)).map((bucket) => [
          Date.parse(bucket.start),
          bucket,
        ]),
      );
      const buckets = Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, index) => {
        const start = from + index * stepMs;
        const bucket = found.get(start);
        return { start: instant(start), ok: bucket?.ok ?? 0, failed: bucket?.failed ?? 0, spend: bucket?.amount ?? (0n as Money) };
      });
      return { from: instant(from), to: instant(to), stepMs, buckets };
    },

    request: async (requestId) => {
      const detail = await requestById(sql, 'all', requestId);
      if (detail === null) return null;
      const { attempts, priceListId, held, usage, releaseReason, reconcile, leaseId } = detail;
      const names = await tokenNames(sql, 'all', [detail.tokenId]);
      const {
        computed: _computed,
        groupRatio: _groupRatio,
        overdrawn: _overdrawn,
        refunded: _refunded,
        priceListId: _list,
        usage: _usage,
        releaseReason: _reason,
        reconcile: _reconcile,
        ...stored
      } = detail;
      return {
        request: rowOf({ ...stored, attempts: attempts.length }, names.get(detail.tokenId)),
        leaseId,
        priceListId,
        held,
        usage,
        releaseReason,
        reconcile,
        attempts: [...attempts],
        events: await factsOf(leaseId, requestId),
      };
    },
  };
};
