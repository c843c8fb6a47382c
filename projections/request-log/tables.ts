import { tableName, type TableDefinition } from '../engine/projection.ts';

export const REQUEST_LOG = { name: 'request-log', version: 1 } as const;

const table = (part?: string): string => tableName(REQUEST_LOG.name, REQUEST_LOG.version, part);

export const requestTable = table();
export const runningTable = table('running');
export const adjustmentTable = table('adjustment');

export const requestLogTables: readonly TableDefinition[] = [
  {
    name: requestTable,
    ddl: [
      `CREATE TABLE ${requestTable} (
         position bigint PRIMARY KEY,
         request_id text COLLATE "C" NOT NULL,
         state text NOT NULL CHECK (state IN ('charged', 'released')),
         user_id text NOT NULL,
         token_id text NOT NULL,
         lease_id text NOT NULL,
         model text NOT NULL,
         channel_id text,
         endpoint text,
         streamed boolean,
         status smallint,
         error_code text,
         recorded_at timestamptz NOT NULL,
         started_at timestamptz NOT NULL,
         first_byte_ms integer,
         duration_ms integer,
         input_tokens bigint NOT NULL,
         cached_tokens bigint NOT NULL,
         output_tokens bigint NOT NULL,
         held bigint NOT NULL,
         amount bigint NOT NULL,
         computed bigint NOT NULL,
         upstream_cost bigint NOT NULL,
         basis text,
         price_list_id text,
         group_ratio integer,
         usage jsonb,
         attempts jsonb NOT NULL,
         release_reason text,
         reconcile boolean NOT NULL
       )`,
      `CREATE INDEX ${requestTable}_by_user ON ${requestTable} (user_id, position)`,
      `CREATE INDEX ${requestTable}_by_key ON ${requestTable} (token_id, position)`,
      `CREATE INDEX ${requestTable}_by_start ON ${requestTable} (started_at)`,
      `CREATE INDEX ${requestTable}_by_id ON ${requestTable} (request_id)`,
    ],
  },
  {
    // Set aside, no end yet.
    name: runningTable,
    ddl: [
      `CREATE TABLE ${runningTable} (
         request_id text COLLATE "C" PRIMARY KEY,
         position bigint NOT NULL,
         user_id text NOT NULL,
         token_id text NOT NULL,
         lease_id text NOT NULL,
         model text NOT NULL,
         price_list_id text NOT NULL,
         held bigint NOT NULL,
         recorded_at timestamptz NOT NULL,
         started_at timestamptz NOT NULL
       )`,
    ],
  },
  {
    // What came after a charge. Its own rows, since they stand in the account's stream and may be seen before the charge is.
    name: adjustmentTable,
    ddl: [
      `CREATE TABLE ${adjustmentTable} (
         position bigint PRIMARY KEY,
         request_id text COLLATE "C" NOT NULL,
         kind text NOT NULL CHECK (kind IN ('overdrawn', 'refund')),
         amount bigint NOT NULL
       )`,
      `CREATE INDEX ${adjustmentTable}_by_request ON ${adjustmentTable} (request_id)`,
    ],
  },
];

/** Ends calls, those that are known to run among them; a call that began in this very batch brings what was held for it. */
export const WRITE_ENDED = `
  WITH ended AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS e(position bigint, request_id text, state text, user_id text, token_id text, lease_id text, model text, channel_id text, endpoint text,
      streamed boolean, status smallint, error_code text, recorded_at timestamptz, started_at timestamptz, first_byte_ms integer, duration_ms integer,
      input_tokens bigint, cached_tokens bigint, output_tokens bigint, held bigint, amount bigint, computed bigint, upstream_cost bigint, basis text,
      price_list_id text, group_ratio integer, usage jsonb, attempts jsonb, release_reason text, reconcile boolean)
  ), began AS (
    DELETE FROM ${runningTable} WHERE request_id IN (SELECT request_id FROM ended) RETURNING request_id, held, started_at, price_list_id
  )
  INSERT INTO ${requestTable} (position, request_id, state, user_id, token_id, lease_id, model, channel_id, endpoint, streamed, status, error_code, recorded_at, started_at, first_byte_ms, duration_ms,
    input_tokens, cached_tokens, output_tokens, held, amount, computed, upstream_cost, basis, price_list_id, group_ratio, usage, attempts, release_reason, reconcile)
  SELECT e.position, e.request_id, e.state, e.user_id, e.token_id, e.lease_id, e.model, e.channel_id, e.endpoint, e.streamed, e.status, e.error_code, e.recorded_at,
    coalesce(e.started_at, b.started_at, e.recorded_at), e.first_byte_ms, e.duration_ms, e.input_tokens, e.cached_tokens, e.output_tokens, coalesce(e.held, b.held, 0), e.amount, e.computed, e.upstream_cost,
    e.basis, coalesce(e.price_list_id, b.price_list_id), e.group_ratio, e.usage, e.attempts, e.release_reason, e.reconcile
  FROM ended AS e LEFT JOIN began AS b USING (request_id)`;

export const WRITE_RUNNING = `
  INSERT INTO ${runningTable} (request_id, position, user_id, token_id, lease_id, model, price_list_id, held, recorded_at, started_at)
  SELECT request_id, position, user_id, token_id, lease_id, model, price_list_id, held, recorded_at, started_at
  FROM jsonb_to_recordset($1::jsonb) AS r(request_id text, position bigint, user_id text, token_id text, lease_id text, model text, price_list_id text, held bigint, recorded_at timestamptz, started_at timestamptz)`;

export const WRITE_ADJUSTMENTS = `
  INSERT INTO ${adjustmentTable} (position, request_id, kind, amount)
  SELECT position, request_id, kind, amount FROM jsonb_to_recordset($1::jsonb) AS a(position bigint, request_id text, kind text, amount bigint)`;
