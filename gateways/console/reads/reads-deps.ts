import type { Clock } from '../../../commands/ports/clock.ts';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import type { PositionBoard } from '../../../projections/engine/position-board.ts';
import type { Sql } from '../../../projections/ports/read-model-database.ts';
import type { UserId } from '../../../schemas/ids.ts';
import type { Owner, PageAsked, TimeRange } from '../../ports/console-reads.ts';

export interface ReadsDeps {
  readonly sql: Sql;
  readonly board: Pick<PositionBoard, 'waitFor'>;
  readonly log: Pick<EventLog, 'readStream'>;
  readonly clock: Clock;
}

export const instant = (moment: number): string => new Date(moment).toISOString();

/** As queries ask it. */
export const userIdOf = (owner: Owner): UserId | 'all' => (owner === 'everybody' ? 'all' : owner);

export const instantsOf = ({ from, to }: Partial<TimeRange>): { readonly from?: string; readonly to?: string } => ({
  ...(from === undefined ? {} : { from: instant(from) }),
  ...(to === undefined ? {} : { to: instant(to) }),
});

/** A page out of one row more than it holds: whether there is a next one is known then, and no page is ever empty for nothing. */
export const pageOfRows = <Row>(
  rows: readonly Row[],
  { limit }: PageAsked,
  cursorOf: (row: Row) => string,
): { readonly rows: Row[]; readonly nextCursor: string | null } => {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
};
