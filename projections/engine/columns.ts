/** Types of columns that rows are handed over in, by their names in PostgreSQL. */
export type ColumnType = 'bool' | 'int2' | 'int4' | 'int8' | 'text' | 'timestamptz';

/** What a column may hold: `timestamptz` is given as an ISO 8601 text, whole numbers as either kind of number. */
export type ColumnValue = bigint | number | string | boolean | null | undefined;

/** One column of rows that are written together, and where its values come from. What is undefined is null. */
export interface Column<Row> {
  readonly name: string;
  readonly type: ColumnType;
  readonly of: (row: Row) => ColumnValue;
}

/** The values of one column, as one parameter of a statement: an array of the column's type. */
export class ColumnValues {
  readonly type: ColumnType;
  readonly values: readonly ColumnValue[];

  constructor(type: ColumnType, values: readonly ColumnValue[]) {
    this.type = type;
    this.values = values;
  }
}

/** Most rows of one statement: none of them keeps the program from its other work for long. */
const CHUNK_ROWS = 250;

/** A source of rows under the alias, whose parameters are {@link ColumnValues}: several times cheaper than JSON for the same rows. */
export const rowsFrom = <Row>(columns: readonly Column<Row>[], alias: string): string =>
  `unnest(${columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ')}) AS ${alias}(${columns.map(({ name }) => name).join(', ')})`;

/** A statement with its rows. */
export interface RowStatement {
  readonly text: string;
  readonly values: readonly ColumnValues[];
}

/** Rows for one statement, kept as the columns they are handed over in: what they were made of may go. */
export class GatheredRows<Row> {
  readonly #text: string;
  readonly #columns: readonly Column<Row>[];
  readonly #chunks: ColumnValue[][][] = [];
  #inLast = CHUNK_ROWS;

  constructor(text: string, columns: readonly Column<Row>[]) {
    this.#text = text;
    this.#columns = columns;
  }

  add(row: Row): void {
    if (this.#inLast === CHUNK_ROWS) {
      this.#chunks.push(this.#columns.map(() => []));
      this.#inLast = 0;
    }
    const chunk = this.#chunks[this.#chunks.length - 1] as ColumnValue[][];
    for (let index = 0; index < chunk.length; index++) chunk[index]?.push(this.#columns[index]?.of(row));
    this.#inLast += 1;
  }

  /** The statement, as often as it takes to go through all rows. */
  *statements(): Generator<RowStatement> {
    for (const chunk of this.#chunks)
      yield { text: this.#text, values: this.#columns.map(({ type }, index) => new ColumnValues(type, chunk[index] ?? [])) };
  }
}

/** The statement for rows that are all there, as often as it takes to go through them. */
export function* rowStatements<Row>(text: string, columns: readonly Column<Row>[], rows: readonly Row[]): Generator<RowStatement> {
  for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
    const chunk = start === 0 && rows.length <= CHUNK_ROWS ? rows : rows.slice(start, start + CHUNK_ROWS);
    yield { text, values: columns.map(({ type, of }) => new ColumnValues(type, chunk.map(of))) };
  }
}
