export type SortKey = string | number | bigint | null;

export interface Sorting {
  readonly column: string;
  readonly descending: boolean;
}

const compare = (left: SortKey, right: SortKey): number => {
  if (left === right) return 0;
  if (left === null) return -1;
  if (right === null) return 1;
  if (typeof left === 'string' && typeof right === 'string')
    return left.localeCompare(right, undefined, { numeric: true, sensitivity: 'base' });
  return left < right ? -1 : 1;
};

/** A sorted copy; rows that are equal keep their order, whichever way it is sorted. */
export const sortRows = <Row>(rows: readonly Row[], keyOf: (row: Row) => SortKey, descending: boolean): Row[] => {
  const sign = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: keyOf(row) }))
    .sort((left, right) => sign * compare(left.key, right.key))
    .map(({ row }) => row);
};

/** What a click on a head does: ascending, descending, as it came. */
export const nextSorting = (now: Sorting | null, column: string): Sorting | null => {
  if (now?.column !== column) return { column, descending: false };
  return now.descending ? null : { column, descending: true };
};
