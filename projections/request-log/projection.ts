import type { EventType } from '../../schemas/events/catalogue.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { tableProjection, type Statement } from '../engine/projection.ts';
import { tokenTotals } from '../usage/token-totals.ts';
import { REQUEST_LOG, requestLogTables, WRITE_ADJUSTMENTS, WRITE_ENDED, WRITE_RUNNING } from './tables.ts';

const TYPES = [
  'QuotaReserved',
  'QuotaDebited',
  'QuotaReleased',
  'QuotaOverdrawn',
  'ChargeRefunded',
] as const satisfies readonly EventType[];

type RequestEvent = ProjectedEvent<(typeof TYPES)[number]>;
type Began = ProjectedEvent<'QuotaReserved'>;
type Ended = ProjectedEvent<'QuotaDebited' | 'QuotaReleased'>;

const NO_USAGE = {};

/** `began` when the reservation stands in the same batch. What is left out is null. */
const endedRow = ({ type, data, position, recordedAt }: Ended, began: Began | undefined): object => {
  const { requestId, userId, tokenId, leaseId, model, call } = data;
  const tokens = tokenTotals(type === 'QuotaDebited' ? data.usage : NO_USAGE);
  return {
    position: position.toString(),
    request_id: requestId,
    state: type === 'QuotaDebited' ? 'charged' : 'released',
    user_id: userId,
    token_id: tokenId,
    lease_id: leaseId,
    model,
    channel_id: type === 'QuotaDebited' ? data.channelId : call?.attempts.at(-1)?.channelId,
    endpoint: call?.endpoint,
    streamed: call?.streamed,
    status: call?.status,
    error_code: call?.errorCode,
    recorded_at: recordedAt,
    started_at: call?.startedAt ?? began?.occurredAt,
    first_byte_ms: call?.firstByteMs,
    duration_ms: call?.durationMs,
    input_tokens: tokens.input,
    cached_tokens: tokens.cached,
    output_tokens: tokens.output,
    held: began?.data.amount.toString(),
    attempts: call?.attempts ?? [],
    ...(type === 'QuotaDebited'
      ? {
          amount: data.amount.toString(),
          computed: data.computed.toString(),
          upstream_cost: data.upstreamCost.toString(),
          basis: data.basis,
          price_list_id: data.priceListId,
          group_ratio: data.groupRatio,
          usage: data.usage,
          reconcile: false,
        }
      : {
          amount: '0',
          computed: '0',
          upstream_cost: '0',
          price_list_id: began?.data.priceListId,
          release_reason: data.reason,
          reconcile: data.reconcile,
        }),
  };
};

const runningRow = ({ data, position, recordedAt, occurredAt }: Began): object => ({
  request_id: data.requestId,
  position: position.toString(),
  user_id: data.userId,
  token_id: data.tokenId,
  lease_id: data.leaseId,
  model: data.model,
  price_list_id: data.priceListId,
  held: data.amount.toString(),
  recorded_at: recordedAt,
  started_at: occurredAt,
});

const statement = (text: string, rows: readonly object[]): readonly Statement[] =>
  rows.length === 0 ? [] : [{ text, values: [JSON.stringify(rows)] }];

const statements = (events: readonly RequestEvent[]): readonly Statement[] => {
  const running = new Map<string, Began>();
  const ended: object[] = [];
  const adjustments: object[] = [];
  for (const event of events) {
    switch (event.type) {
      case 'QuotaReserved':
        running.set(event.data.requestId, event);
        break;
      case 'QuotaDebited':
      case 'QuotaReleased':
        ended.push(endedRow(event, running.get(event.data.requestId)));
        running.delete(event.data.requestId);
        break;
      case 'QuotaOverdrawn':
      case 'ChargeRefunded':
        adjustments.push({
          position: event.position.toString(),
          request_id: event.data.requestId,
          kind: event.type === 'QuotaOverdrawn' ? 'overdrawn' : 'refund',
          amount: event.data.amount.toString(),
        });
    }
  }
  return [
    ...statement(WRITE_ENDED, ended),
    ...statement(WRITE_RUNNING, [...running.values()].map(runningRow)),
    ...statement(WRITE_ADJUSTMENTS, adjustments),
  ];
};

/** One row per call: what it was, how it went, what it cost. */
export const requestLog = tableProjection({ ...REQUEST_LOG, types: TYPES, tables: requestLogTables, statements });
