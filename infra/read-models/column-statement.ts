import pg from 'pg';
import { ColumnValues } from '../../projections/engine/columns.ts';
import { mostColumnBytes, writeColumn } from './column-parameter.ts';

/** Whether the parameters of a statement are columns, all of them. */
export const areColumns = (values: readonly unknown[]): values is readonly ColumnValues[] =>
  values.length > 0 && values.every((value) => value instanceof ColumnValues);

const BIND = 0x42;
const BINARY = 1;
const CODE_BYTES = 1;
const LENGTH_BYTES = 4;
const COUNT_BYTES = 2;
/** The message but for its columns: code and length, no names of portal and statement, formats of parameters, their number, one format of results. */
const frameBytes = (columns: number): number => CODE_BYTES + LENGTH_BYTES + 2 + COUNT_BYTES * (columns + 2) + COUNT_BYTES * 2;

/** A message that had to be larger is not kept for the next. */
const MOST_SPARE_BYTES = 4_194_304;

/** Where messages are made. Fresh memory costs several times more than filling it: the system hands it out page by page, when it is first touched. */
let spare: Buffer | undefined;

const borrow = (bytes: number): Buffer => {
  if (spare === undefined || spare.length < bytes) return Buffer.allocUnsafeSlow(bytes + (bytes >> 1));
  const buffer = spare;
  spare = undefined;
  return buffer;
};

const giveBack = (buffer: Buffer): void => {
  if (buffer.length <= MOST_SPARE_BYTES && buffer.length > (spare?.length ?? 0)) spare = buffer;
};

/** PostgreSQL's `Bind`, with all parameters and results of an unnamed statement: answers where it ends. */
const writeBind = (buffer: Buffer, columns: readonly ColumnValues[]): number => {
  buffer[0] = BIND;
  let at = CODE_BYTES + LENGTH_BYTES;
  buffer[at++] = 0;
  buffer[at++] = 0;
  at = buffer.writeInt16BE(columns.length, at);
  for (let index = 0; index < columns.length; index++) at = buffer.writeInt16BE(BINARY, at);
  at = buffer.writeInt16BE(columns.length, at);
  for (const column of columns) {
    const end = writeColumn(buffer, at + LENGTH_BYTES, column);
    buffer.writeInt32BE(end - at - LENGTH_BYTES, at);
    at = end;
  }
  at = buffer.writeInt16BE(1, at);
  at = buffer.writeInt16BE(0, at);
  buffer.writeInt32BE(at - CODE_BYTES, CODE_BYTES);
  return at;
};

type Done = (error: Error | undefined, result: pg.QueryResult) => void;

/** A statement that goes out with its parameters as they were written; the driver would copy them, and copy them again as its message grows. */
class ColumnStatement extends pg.Query {
  /** How long the answer is waited for, in milliseconds; the connection's limit unless given. */
  readonly query_timeout: number | undefined;
  override readonly submit: (connection: pg.Connection) => void;

  constructor(
    { text, bind, timeoutMs }: { readonly text: string; readonly bind: Buffer; readonly timeoutMs: number | undefined },
    done: Done,
  ) {
    super({ text }, done);
    this.query_timeout = timeoutMs;
    this.submit = (connection) => {
      const { stream } = connection;
      stream.cork();
      connection.parse({ name: '', text, types: [] }, true);
      if (stream.writable) stream.write(bind);
      connection.describe({ type: 'P', name: '' }, true);
      connection.execute({ portal: '' }, true);
      connection.sync();
      stream.uncork();
    };
  }
}

/** Asks on a connection. Throws a `TypeError` at a value that its column cannot hold. */
export const askWithColumns = (
  client: pg.ClientBase,
  {
    text,
    columns,
    timeoutMs,
  }: { readonly text: string; readonly columns: readonly ColumnValues[]; readonly timeoutMs: number | undefined },
): Promise<pg.QueryResult> => {
  const buffer = borrow(columns.reduce((sum, column) => sum + LENGTH_BYTES + mostColumnBytes(column), frameBytes(columns.length)));
  const bind = buffer.subarray(0, writeBind(buffer, columns));
  return new Promise((resolve, reject) => {
    client.query(
      new ColumnStatement({ text, bind, timeoutMs }, (error, result) => {
        if (error) return reject(error);
        // Whoever has answered has read it.
        giveBack(buffer);
        resolve(result);
      }),
    );
  });
};
