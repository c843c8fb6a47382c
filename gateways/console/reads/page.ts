import type { PageAsked } from '../../ports/console-reads.ts';
import type { Cursors } from './cursor.ts';

/**
 * One page of rows in the order of their places. `read` is asked for one row more than the page holds, which tells whether
 * there is a next one.
 */
export const readPage = async <Place, Row>(
  { cursor, limit }: PageAsked,
  cursors: Cursors<Place>,
  read: (place: Place | undefined, limit: number) => Promise<readonly Row[]>,
  placeOf: (row: Row) => Place,
): Promise<{ readonly rows: readonly Row[]; readonly nextCursor: string | null }> => {
  const found = await read(cursors.read(cursor), limit + 1);
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, nextCursor: found.length > limit && last !== undefined ? cursors.of(placeOf(last)) : null };
};
