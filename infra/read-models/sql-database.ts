import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { ReadModelsUnavailable } from '../../projections/engine/read-models-unavailable.ts';
import type {
  Leadership,
  ProjectingRight,
  ReadModelDatabase,
  RunTransaction,
  Sql,
  TransactionOptions,
} from '../../projections/ports/read-model-database.ts';
import { UnfitValue } from './column-parameter.ts';
import { areColumns, askWithColumns } from './column-statement.ts';
import { databaseFault } from './database-fault.ts';
import { keepableText } from './keepable-text.ts';

const ROLLBACK_TIMEOUT_MS = 2_000;
/** No limit that anybody would live to see; zero would mean the pool's. */
const FOR_EVER_MS = 2_147_483_647;

interface Question {
  readonly text: string;
  readonly values: readonly unknown[] | undefined;
  readonly timeoutMs: number | undefined;
}

const keepable = (value: unknown): unknown => {
  if (typeof value === 'string') return keepableText(value);
  return Array.isArray(value) ? value.map(keepable) : value;
};

const ask = (client: pg.PoolClient, { text, values, timeoutMs }: Question): Promise<pg.QueryResult> => {
  if (values !== undefined && areColumns(values)) return askWithColumns(client, { text, columns: values, timeoutMs });
  const parameters = values?.map(keepable);
  return timeoutMs === undefined
    ? client.query(text, parameters)
    : client.query({ text, values: parameters, query_timeout: timeoutMs } as pg.QueryConfig);
};

/** `timeoutMs` is how long an answer is waited for; the pool's limit unless given. */
const sqlOn = (client: pg.PoolClient, timeoutMs?: number): Sql => ({
  query: async <Row extends object>(text: string, values?: readonly unknown[]) => {
    try {
      const { rows, rowCount } = await ask(client, { text, values, timeoutMs });
      return { rows: rows as Row[], rowCount: rowCount ?? 0 };
    } catch (error) {
      // What cannot be put into a column is wrong with the statement, not with the database.
      throw error instanceof UnfitValue ? error : databaseFault(error);
    }
  },
});

const begin = ({ snapshot = false, patient = false }: TransactionOptions): string =>
  `BEGIN${snapshot ? ' ISOLATION LEVEL REPEATABLE READ' : ''}${patient ? '; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0' : ''}`;

/** Runs a transaction on a connection; `broken` when the connection is not fit for another. */
const runOn = async <Result>(
  client: pg.PoolClient,
  work: (tx: Sql) => Promise<Result>,
  options: TransactionOptions,
  broken: () => void,
): Promise<Result> => {
  const tx = sqlOn(client, options.patient === true ? FOR_EVER_MS : undefined);
  try {
    await tx.query(begin(options));
    const result = await work(tx);
    await tx.query('COMMIT');
    return result;
  } catch (error) {
    await sqlOn(client, ROLLBACK_TIMEOUT_MS).query('ROLLBACK').catch(broken);
    throw error;
  }
};

const connect = async (pool: pg.Pool): Promise<pg.PoolClient> => {
  try {
    return await pool.connect();
  } catch (error) {
    throw databaseFault(error);
  }
};

/** Lends a connection of the pool. One that failed in a way that a statement does not fail in is not lent again. */
const withClient = async <Result>(pool: pg.Pool, work: (client: pg.PoolClient, broken: () => void) => Promise<Result>): Promise<Result> => {
  const client = await connect(pool);
  let isBroken = false;
  const broken = (): void => {
    isBroken = true;
  };
  client.on('error', broken);
  try {
    return await work(client, broken);
  } finally {
    client.off('error', broken);
    client.release(isBroken);
  }
};

const transactionOn =
  (pool: pg.Pool): RunTransaction =>
  (work, options = {}) =>
    withClient(pool, (client, broken) => runOn(client, work, options, broken));

export const sqlOf = (pool: pg.Pool): Sql => ({
  query: (text, values) =>
    withClient(pool, async (client, broken) => {
      try {
        return await sqlOn(client).query(text, values);
      } catch (error) {
        if (error instanceof ReadModelsUnavailable && !(error.cause instanceof pg.DatabaseError)) broken();
        throw error;
      }
    }),
});

/** One at a time, in the order of asking. */
const inTurn = (run: RunTransaction): RunTransaction => {
  let last: Promise<unknown> = Promise.resolve();
  return (work, options) => {
    const result = last.then(
      () => run(work, options),
      () => run(work, options),
    );
    last = result;
    return result;
  };
};

/** Two keys of an advisory lock: whoever holds it projects. The first is not the event log's: it locks in the same database. */
const PROJECTING: Readonly<Record<ProjectingRight, readonly [number, number]>> = {
  log: [0x6f_62_6c_70, 1],
  until_handed_over: [0x6f_62_6c_70, 2],
};

/** How often a process that stands by asks whether the right to project is free. */
const TAKEOVER_MS = 1_000;

const leadershipOf = (client: pg.PoolClient, right: ProjectingRight): Leadership => {
  const lost = new AbortController();
  const onLoss = (): void => lost.abort();
  client.on('error', onLoss);
  client.on('end', onLoss);
  return {
    transaction: inTurn((work, options = {}) => runOn(client, work, options, onLoss)),
    lost: lost.signal,
    release: async () => {
      if (!lost.signal.aborted) await client.query('SELECT pg_advisory_unlock($1, $2)', [...PROJECTING[right]]).catch(onLoss);
      const isLost = lost.signal.aborted;
      client.off('end', onLoss);
      client.release(isLost);
      if (!isLost) client.off('error', onLoss);
    },
  };
};

/** Read models on a PostgreSQL server, which any number of processes may share. What is projected goes through connections of its own. */
export const postgresDatabase = (reading: pg.Pool, projecting: pg.Pool): ReadModelDatabase => ({
  ...sqlOf(reading),
  transaction: transactionOn(projecting),
  lead: async (signal, right = 'log') => {
    while (!signal.aborted) {
      const client = await connect(projecting);
      try {
        const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS free', [...PROJECTING[right]]);
        if (rows[0]?.free === true) return leadershipOf(client, right);
      } catch (error) {
        client.release(true);
        throw databaseFault(error);
      }
      client.release();
      await pause(TAKEOVER_MS, undefined, { signal }).catch(() => undefined);
    }
    return null;
  },
});

/** Told of every error that is not about a statement. */
export type FaultListener = (fault: ReadModelsUnavailable) => void;

const telling =
  (told: FaultListener) =>
  <Result>(result: Promise<Result>): Promise<Result> =>
    result.catch((error: unknown) => {
      if (error instanceof ReadModelsUnavailable) told(error);
      throw error;
    });

/** Read models that this process alone has: nobody else could project them. */
export const soleDatabase = (pool: pg.Pool, onFault: FaultListener = () => undefined): ReadModelDatabase => {
  const tell = telling(onFault);
  const run = transactionOn(pool);
  const sql = sqlOf(pool);
  const transaction: RunTransaction = (work, options) => tell(run(work, options));
  return {
    query: (text, values) => tell(sql.query(text, values)),
    transaction,
    lead: async (signal) => (signal.aborted ? null : { transaction, lost: new AbortController().signal, release: async () => undefined }),
  };
};
