/** `all` is for administrators. */
export type Scope = 'mine' | 'all';

/** Which stretch of time, and whose. Half-open: from ≤ t < to. */
export interface Span {
  readonly from?: string;
  readonly to?: string;
  readonly scope?: Scope;
}

export interface Paging {
  readonly cursor?: string;
  readonly limit?: number;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}
