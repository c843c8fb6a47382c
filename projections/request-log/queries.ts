import type { z } from 'zod';
import type { Attempt, ChargeBasis, ReleaseReason } from '../../schemas/events/lease.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { ChannelId, LeaseId, PriceListId, RequestId, TokenId, UserId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { Ratio } from '../../schemas/price.ts';
import type { Instant } from '../../schemas/time.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { callTable, entryTable, runningTable } from '../journal/tables.ts';

/** `running`: set aside, no end yet. `charged`: paid for. `released`: nothing was charged. */
export type RequestState = 'running' | 'charged' | 'released';

export interface RequestRow {
  /** Of the event that ended the call, or that began it while it runs. */
  readonly position: Position;
  readonly requestId: RequestId;
  readonly state: RequestState;
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly leaseId: LeaseId;
  readonly model: string;
  readonly channelId: ChannelId | null;
  readonly endpoint: string | null;
  readonly streamed: boolean | null;
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly recordedAt: Instant;
  readonly startedAt: Instant;
  readonly firstByteMs: number | null;
  readonly durationMs: number | null;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly held: Money;
  readonly amount: Money;
  readonly upstreamCost: Money;
  readonly basis: z.infer<typeof ChargeBasis> | null;
  readonly attempts: number;
}

export interface RequestDetail extends Omit<RequestRow, 'attempts'> {
  readonly priceListId: PriceListId | null;
  readonly groupRatio: Ratio | null;
  readonly usage: Usage | null;
  /** What the rule came to; above `amount` when the upstream billed more than was held. */
  readonly computed: Money;
  readonly overdrawn: Money;
  readonly refunded: Money;
  readonly attempts: readonly z.infer<typeof Attempt>[];
  readonly releaseReason: z.infer<typeof ReleaseReason> | null;
  /** An upstream may have billed us for a call that was charged to nobody. */
  readonly reconcile: boolean;
}

export interface RequestFilter {
  /** Whose calls; `'all'` is for administrators. */
  readonly userId: UserId | 'all';
  readonly tokenId?: TokenId;
  readonly channelId?: ChannelId;
  readonly model?: string;
  readonly endpoint?: string;
  readonly state?: RequestState;
  /** `ok`: ended with a status below 400. `failed`: ended otherwise. */
  readonly result?: 'ok' | 'failed';
  readonly status?: number;
  readonly errorCode?: string;
  readonly streamed?: boolean;
  /** Half-open: from ≤ started < to. */
  readonly from?: Instant;
  readonly to?: Instant;
  /** The beginning of a request id. */
  readonly search?: string;
}

/** What a call that runs does not have, in the collation of those that do: only parts that agree in it are searched each by its own index. */
const NO_TEXT = 'NULL::text COLLATE "C"';

/** Ended calls and running ones, seen as one. */
const CALLS = `(
  SELECT position, request_id, state, user_id, token_id, lease_id, model, channel_id, endpoint, streamed, status, error_code, recorded_at, started_at, first_byte_ms, duration_ms,
         input_tokens, cached_tokens, output_tokens, held, amount, computed, upstream_cost, basis, price_list_id, group_ratio, usage::jsonb AS usage, attempts::jsonb AS attempts, release_reason, reconcile
  FROM ${callTable}
  UNION ALL
  SELECT position, request_id, 'running'::text COLLATE "C", user_id, token_id, lease_id, model, ${NO_TEXT}, ${NO_TEXT}, NULL::boolean, NULL::smallint, ${NO_TEXT}, recorded_at, started_at, NULL::integer, NULL::integer,
         0::bigint, 0::bigint, 0::bigint, held, 0::bigint, 0::bigint, 0::bigint, ${NO_TEXT}, price_list_id, NULL::integer, NULL::jsonb, '[]'::jsonb, ${NO_TEXT}, false
  FROM ${runningTable}
) AS call`;

const COLUMNS = `position, request_id AS "requestId", state, user_id AS "userId", token_id AS "tokenId", lease_id AS "leaseId", model, channel_id AS "channelId", endpoint, streamed, status, error_code AS "errorCode",
  recorded_at AS "recordedAt", started_at AS "startedAt", first_byte_ms AS "firstByteMs", duration_ms AS "durationMs",
  input_tokens::float8 AS "inputTokens", cached_tokens::float8 AS "cachedTokens", output_tokens::float8 AS "outputTokens", held, amount, upstream_cost AS "upstreamCost", basis`;

/** A call without a status ended with its holder. */
const FAILED = `state <> 'running' AND coalesce(status, 599) >= 400`;
const OK = `state <> 'running' AND coalesce(status, 599) < 400`;

/** The condition and its parameters, numbered from 1. A condition that was not asked for is left out, so that the rest can use its index. */
const conditionOf = (filter: RequestFilter): { readonly where: string; readonly values: unknown[] } => {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const ask = (condition: (parameter: string) => string, value: unknown): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  ask((p) => `user_id = ${p}`, filter.userId === 'all' ? undefined : filter.userId);
  ask((p) => `token_id = ${p}`, filter.tokenId);
  ask((p) => `channel_id = ${p}`, filter.channelId);
  ask((p) => `model = ${p}`, filter.model);
  ask((p) => `endpoint = ${p}`, filter.endpoint);
  ask((p) => `state = ${p}`, filter.state);
  ask((p) => `status = ${p}::smallint`, filter.status);
  ask((p) => `error_code = ${p}`, filter.errorCode);
  ask((p) => `streamed = ${p}`, filter.streamed);
  ask((p) => `started_at >= ${p}::timestamptz`, filter.from);
  ask((p) => `started_at < ${p}::timestamptz`, filter.to);
  // Of the byte order that the column has; no id holds a tilde or anything behind it.
  ask((p) => `request_id >= ${p} AND request_id < ${p} || '~'`, filter.search);
  if (filter.result === 'ok') conditions.push(OK);
  if (filter.result === 'failed') conditions.push(FAILED);
  return { where: conditions.length === 0 ? 'true' : conditions.join(' AND '), values };
};

export interface RequestPage {
  /** Keyset paging: calls older than this position. */
  readonly before?: Position;
  readonly limit: number;
}

/** Calls, newest first. */
export const requests = async (sql: Sql, filter: RequestFilter, { before, limit }: RequestPage): Promise<readonly RequestRow[]> => {
  const { where, values } = conditionOf(filter);
  const { rows } = await sql.query<RequestRow>(
    `SELECT ${COLUMNS}, jsonb_array_length(attempts) AS attempts FROM ${CALLS} WHERE ${where} AND position < $${values.length + 1} ORDER BY position DESC LIMIT $${values.length + 2}`,
    [...values, before ?? 9_223_372_036_854_775_807n, limit],
  );
  return rows;
};

/** Calls that changed after a position, oldest first: what a live tail shows next. */
export const requestsAfter = async (
  sql: Sql,
  filter: RequestFilter,
  { after, limit }: { readonly after: Position; readonly limit: number },
): Promise<readonly RequestRow[]> => {
  const { where, values } = conditionOf(filter);
  const { rows } = await sql.query<RequestRow>(
    `SELECT ${COLUMNS}, jsonb_array_length(attempts) AS attempts FROM ${CALLS} WHERE ${where} AND position > $${values.length + 1} ORDER BY position LIMIT $${values.length + 2}`,
    [...values, after, limit],
  );
  return rows;
};

/** One call with all there is to say of it; `null` when there is none, or it is not the user's. */
export const requestById = async (sql: Sql, userId: UserId | 'all', requestId: RequestId): Promise<RequestDetail | null> => {
  const { rows } = await sql.query<RequestDetail>(
    `SELECT ${COLUMNS}, computed, price_list_id AS "priceListId", group_ratio AS "groupRatio", usage, attempts, release_reason AS "releaseReason", reconcile,
            (SELECT coalesce(sum(amount), 0) FROM ${entryTable} AS a WHERE a.request_id = call.request_id AND kind = 'overdrawn') AS overdrawn,
            (SELECT coalesce(sum(amount), 0) FROM ${entryTable} AS a WHERE a.request_id = call.request_id AND kind = 'refund') AS refunded
     FROM ${CALLS} WHERE request_id = $1 AND ($2 = 'all' OR user_id = $2) ORDER BY position DESC LIMIT 1`,
    [requestId, userId],
  );
  return rows[0] ?? null;
};

export interface RequestBucket {
  readonly start: Instant;
  readonly ok: number;
  readonly failed: number;
  readonly amount: Money;
}

/** Ended calls by the time in which they began, in steps of so many milliseconds from `from`; steps without calls are left out. */
export const requestHistogram = async (
  sql: Sql,
  filter: RequestFilter & { readonly from: Instant; readonly to: Instant },
  stepMs: number,
): Promise<readonly RequestBucket[]> => {
  const { where, values } = conditionOf(filter);
  const { rows } = await sql.query<RequestBucket>(
    `SELECT date_bin(($${values.length + 1} || ' milliseconds')::interval, started_at, $${values.length + 2}::timestamptz) AS start,
            (count(*) FILTER (WHERE ${OK}))::int AS ok, (count(*) FILTER (WHERE ${FAILED}))::int AS failed, coalesce(sum(amount), 0) AS amount
     FROM ${CALLS} WHERE ${where} AND state <> 'running' GROUP BY 1 ORDER BY 1`,
    [...values, stepMs.toString(), filter.from],
  );
  return rows;
};

export interface RequestSummary {
  readonly requests: number;
  readonly failed: number;
  readonly amount: Money;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** Time to the first byte; `null` when no call had one. */
  readonly firstByteMsP50: number | null;
  readonly firstByteMsP95: number | null;
}

/** Ended calls in figures. */
export const requestSummary = async (sql: Sql, filter: RequestFilter): Promise<RequestSummary> => {
  const { where, values } = conditionOf(filter);
  const { rows } = await sql.query<RequestSummary>(
    `SELECT count(*)::int AS requests, (count(*) FILTER (WHERE ${FAILED}))::int AS failed, coalesce(sum(amount), 0) AS amount,
            coalesce(sum(input_tokens), 0)::float8 AS "inputTokens", coalesce(sum(cached_tokens), 0)::float8 AS "cachedTokens", coalesce(sum(output_tokens), 0)::float8 AS "outputTokens",
            percentile_disc(0.5) WITHIN GROUP (ORDER BY first_byte_ms) AS "firstByteMsP50", percentile_disc(0.95) WITHIN GROUP (ORDER BY first_byte_ms) AS "firstByteMsP95"
     FROM ${CALLS} WHERE ${where} AND state <> 'running'`,
    values,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('an aggregate has one row');
  return row;
};
