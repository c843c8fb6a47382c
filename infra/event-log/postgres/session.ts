import pg from 'pg';
import type { QueryArrayConfig, QueryArrayResult } from 'pg';

/** Where the server is and how long it may take to answer. */
export interface SessionOptions {
  readonly connectionString: string;
  readonly applicationName: string;
  /** For reaching the server, in ms. */
  readonly connectTimeoutMs: number;
  /** For one statement, in ms. The server gives up first, so that nothing goes on there unheard. */
  readonly statementTimeoutMs: number;
}

/** How much longer than the server the client waits before it takes the connection for dead. */
const CLIENT_GRACE_MS = 1_000;

/** The server did not answer in time; whether it did what it was asked is not known. */
export class DeadlineExceeded extends Error {
  constructor(ms: number) {
    super(`PostgreSQL did not answer within ${ms} ms.`);
    this.name = 'DeadlineExceeded';
  }
}

/**
 * Index scans only: plans are made once and kept, perhaps when the tables are still so small that a sequential scan looks cheap, and a
 * plan made anew for each batch costs more than the batch. (Settings on the functions themselves would cost as much again.) Commits must
 * be on disk before they are acknowledged, whatever the server's default is.
 */
const settings = (statementTimeoutMs: number): string => `
  set statement_timeout = ${statementTimeoutMs};
  set idle_in_transaction_session_timeout = ${statementTimeoutMs};
  set client_connection_check_interval = 2000;
  set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off;
  set plan_cache_mode = force_generic_plan; set jit = off; set max_parallel_workers_per_gather = 0;
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') in ('off', 'local')`;

export const clientConfig = (options: SessionOptions): pg.ClientConfig => ({
  connectionString: options.connectionString,
  application_name: options.applicationName,
  connectionTimeoutMillis: options.connectTimeoutMs,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
});

/** Cuts the connection at once, whatever is under way on it. */
export const cut = (client: pg.ClientBase): void => {
  (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection.stream.destroy();
};

/** Says goodbye, but waits no longer than a second for the server to hear it. */
export const leave = async (client: pg.Client): Promise<void> => {
  const timer = setTimeout(() => cut(client), 1_000);
  try {
    await client.end();
  } finally {
    clearTimeout(timer);
  }
};

/** Every column as the text that PostgreSQL sends. */
export const AS_TEXT = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;

const withDeadline = async <T>(client: pg.ClientBase, ms: number, work: () => Promise<T>): Promise<T> => {
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    cut(client);
  }, ms);
  try {
    return await work();
  } catch (error) {
    throw expired ? new DeadlineExceeded(ms) : error;
  } finally {
    clearTimeout(timer);
  }
};

/** Runs one statement; when the server stays silent past its own time limit the connection is cut and the statement fails. */
export const ask = (client: pg.ClientBase, query: QueryArrayConfig, options: SessionOptions): Promise<QueryArrayResult<string[]>> =>
  withDeadline(client, options.statementTimeoutMs + CLIENT_GRACE_MS, () => client.query<string[]>(query));

/** Brings a fresh connection into the state that all of the log's connections have. */
export const prepare = (client: pg.ClientBase, options: SessionOptions): Promise<unknown> =>
  withDeadline(client, options.connectTimeoutMs, () => client.query(settings(options.statementTimeoutMs)));

/**
 * Connects a client of its own. Losing it, once it is made, is told to `onLoss` once; every statement under way fails by itself.
 * An abort of the signal gives up a connection that is being made.
 */
export const connect = async (
  options: SessionOptions,
  onLoss: (client: pg.Client, error: Error) => void,
  signal?: AbortSignal,
): Promise<pg.Client> => {
  const client = new pg.Client(clientConfig(options));
  let state: 'coming' | 'there' | 'gone' = 'coming';
  const loss = (error: Error): void => {
    if (state === 'there') onLoss(client, error);
    state = 'gone';
  };
  client.on('error', loss);
  client.on('end', () => loss(new Error('The connection to PostgreSQL ended.')));
  const giveUp = (): void => cut(client);
  signal?.addEventListener('abort', giveUp);
  try {
    await client.connect();
    await prepare(client, options);
  } catch (error) {
    cut(client);
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  state = 'there';
  return client;
};
