import type { Owner, TimeRange } from '../../ports/console-reads.ts';
import type { UserId } from '../../../schemas/ids.ts';
import type { Instant } from '../../../schemas/time.ts';

/** What the ports ask, in the words of the queries. */

export const userOf = (owner: Owner): UserId | 'all' => (owner === 'everybody' ? 'all' : owner);

/** The first and the last moment that the database and a text of four digits for the year agree on. */
const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');

export const instantOf = (moment: number): Instant => new Date(Math.min(Math.max(moment, FIRST_MOMENT), LAST_MOMENT)).toISOString();

export const rangeOf = ({ from, to }: Partial<TimeRange>): { readonly from?: Instant; readonly to?: Instant } => ({
  ...(from === undefined ? {} : { from: instantOf(from) }),
  ...(to === undefined ? {} : { to: instantOf(to) }),
});

type Given<Fields> = { readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** No stored text holds NUL and PostgreSQL takes none: a filter that has one is to find nothing, not to fail. */
const findable = (value: unknown): unknown => (typeof value === 'string' ? value.replaceAll('\0', '\u{fffd}') : value);

/** Without the fields that were not asked for. */
export const given = <Fields extends object>(fields: Fields): Given<Fields> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, findable(value)]])),
  ) as Given<Fields>;
