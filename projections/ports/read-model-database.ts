/** SQL in PostgreSQL's dialect. `bigint` and whole `numeric` come as bigint, `timestamptz` as an ISO 8601 text in UTC with milliseconds, `jsonb` as a value. */
export interface Sql {
  /**
   * Rejects with `ReadModelsUnavailable` when the database, not the statement, is at fault. Parameters that are objects
   * are not turned into JSON: pass text. `ColumnValues` are arrays, and go with no others than their like.
   */
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: readonly Row[]; readonly rowCount: number }>;
}

export interface TransactionOptions {
  /** One snapshot for all reads. */
  readonly snapshot?: boolean;
  /** No limit on how long a statement may run: for rebuilds and digests. */
  readonly patient?: boolean;
}

/** Begins, works, commits; rolls back when the work throws. */
export type RunTransaction = <Result>(work: (tx: Sql) => Promise<Result>, options?: TransactionOptions) => Promise<Result>;

/** Rights are held apart: what follows the log, and what follows it until it is handed over to Kafka. */
export type ProjectingRight = 'log' | 'until_handed_over';

/** The right to project, held by one process per database. */
export interface Leadership {
  /** On the connection that holds the right: whoever has lost it cannot commit. */
  readonly transaction: RunTransaction;
  /** Aborts when the right is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Where read models live. Names without a schema are those of the live read models. */
export interface ReadModelDatabase extends Sql {
  /** Never start a transaction, or query the database itself, inside a transaction: there may be one connection only. */
  readonly transaction: RunTransaction;
  /** Waits until no other process holds the right to project; `null` when the signal aborts first. */
  lead(signal: AbortSignal, right?: ProjectingRight): Promise<Leadership | null>;
}
