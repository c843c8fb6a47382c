import type { SortKey } from '../lib/sort-rows.ts';

/** One column of a table. The cell itself is the slot `cell-{id}`. */
export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  /** Figures stand at the end of their column. */
  readonly end?: boolean;
  /** What the column sorts by; without it the column does not sort. Amounts as bigint, so that none is rounded. */
  readonly sortBy?: (row: Row) => SortKey;
  /** The head is for screen readers only. */
  readonly quietHead?: boolean;
  /** Left out below this width of the window. */
  readonly from?: 'lg' | 'xl';
}
