import { z } from 'zod';
import { errorTable, type ErrorCode } from '../errors.ts';

/** The JSON form of a schema: money as decimal strings of nano-dollars, ids as plain strings. What a browser sends and receives. */
export type Wire<Schema extends z.ZodType> = z.input<Schema>;

/** A place in the whole log, as a decimal string: it outgrows what a JSON number holds. */
export const PositionText = z
  .string()
  .regex(/^(0|[1-9]\d{0,18})$/, { error: 'expected a log position', abort: true })
  .refine((text) => BigInt(text) <= 9_223_372_036_854_775_807n, 'expected a log position');

/** Every answer to a command says where its facts are; a query with `?after=` that position sees them. `null`: nothing had to change. */
export const Done = z.object({ position: PositionText.nullable() });

/** A count in a query string. */
export const Count = (most: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.int().max(most));

/** What every query takes: wait (bounded) until the read models have seen this position, so that people read their own writes. */
export const AfterQuery = { after: PositionText.optional() };

/** The name of a model may be in it, which takes three bytes a character and four characters for three bytes. */
const CURSOR_LENGTH = 1_000;

/** Keyset paging: `cursor` is the `nextCursor` of the page before, and means nothing else to a client. */
export const PageQuery = { ...AfterQuery, cursor: z.string().max(CURSOR_LENGTH).optional(), limit: Count(200).optional() };

/** One page of rows; `nextCursor` is `null` on the last. */
export const pageOf = <Row extends z.ZodType>(row: Row) =>
  z.object({ rows: z.array(row), nextCursor: z.string().max(CURSOR_LENGTH).nullable() });

/** `all` is for administrators. */
export const ScopeQuery = { scope: z.enum(['mine', 'all']).optional() };

/** Half-open: from ≤ t < to. */
export const RangeQuery = { from: z.iso.datetime().optional(), to: z.iso.datetime().optional() };

/** One of the error table. */
export const RefusalCode = z.enum(Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]]);

/** What every refused call of the API is answered with. */
export const Problem = z.object({
  error: z.object({
    code: RefusalCode,
    message: z.string(),
    /** The field at fault, dotted: `restrictions.models.0`. */
    param: z.string().optional(),
    requestId: z.string(),
  }),
});
