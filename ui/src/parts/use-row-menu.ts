import { shallowRef, type ShallowRef } from 'vue';

/** The one menu of a list: for which row it is, and at which button it stands open. */
export interface RowMenu<Row> {
  readonly row: ShallowRef<Row | null>;
  readonly anchor: ShallowRef<HTMLElement | null>;
  readonly ask: (row: Row, anchor: HTMLElement) => void;
  readonly isOpenFor: (row: Row) => boolean;
}

export const useRowMenu = <Row>(idOf: (row: Row) => string): RowMenu<Row> => {
  const row = shallowRef<Row | null>(null);
  const anchor = shallowRef<HTMLElement | null>(null);
  return {
    row,
    anchor,
    ask: (of, at) => {
      row.value = of;
      anchor.value = at;
    },
    isOpenFor: (of) => anchor.value !== null && row.value !== null && idOf(row.value) === idOf(of),
  };
};
