import pg from 'pg';

type Parser = (text: string) => unknown;

/** Of PostgreSQL's `1` for year digits, microseconds cut to milliseconds: events carry no more. */
const isoOf: Parser = (text) => new Date(text).toISOString();

const { builtins } = pg.types;

const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [builtins.INT8, (text) => BigInt(text)],
  [builtins.TIMESTAMPTZ, isoOf],
  // Sums of money; what is no whole number stays text, since a double would not hold it.
  [builtins.NUMERIC, (text) => (/^-?\d+$/.test(text) ? BigInt(text) : text)],
  // A day is a day, whatever the time zone of this process.
  [builtins.DATE, (text) => text],
]);

/** How values of the database come into the program: see the port `Sql`. */
export const pgValues: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    parsers.get(oid) ?? (pg.types.getTypeParser(oid, format) as Parser)) as pg.CustomTypesConfig['getTypeParser'],
};
