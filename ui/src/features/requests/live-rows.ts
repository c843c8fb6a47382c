import type { RequestRow } from '../../api/requests.ts';

/** Most rows that live tail keeps above the loaded ones: who wants older ones reads the pages. */
export const MOST_LIVE = 500;

/**
 * Rows that came in live. What is not on the page yet waits until the reader asks for it, so that nothing moves under the
 * pointer; a row that is already there (running before, ended now) is brought up to date where it stands.
 */
export interface LiveRows {
  readonly waiting: readonly RequestRow[];
  readonly shown: readonly RequestRow[];
  /** Newer states of rows that the pages hold, by request id. */
  readonly newer: ReadonlyMap<string, RequestRow>;
}

export const NO_LIVE_ROWS: LiveRows = { waiting: [], shown: [], newer: new Map() };

const put = (rows: readonly RequestRow[], row: RequestRow): readonly RequestRow[] =>
  rows.map((each) => (each.requestId === row.requestId ? row : each));
const has = (rows: readonly RequestRow[], row: RequestRow): boolean => rows.some((each) => each.requestId === row.requestId);

export const receive = (live: LiveRows, batch: readonly RequestRow[], paged: ReadonlySet<string>): LiveRows => {
  let { waiting, shown } = live;
  const newer = new Map(live.newer);
  for (const row of batch) {
    if (paged.has(row.requestId)) newer.set(row.requestId, row);
    else if (has(shown, row)) shown = put(shown, row);
    else if (has(waiting, row)) waiting = put(waiting, row);
    else waiting = [row, ...waiting].slice(0, MOST_LIVE);
  }
  return { waiting, shown, newer };
};

export const reveal = (live: LiveRows): LiveRows => ({
  waiting: [],
  shown: [...live.waiting, ...live.shown].slice(0, MOST_LIVE),
  newer: live.newer,
});

/** Live rows first, then the pages', each request once. */
export const merge = (live: LiveRows, paged: readonly RequestRow[]): readonly RequestRow[] => {
  const onPages = new Set(paged.map((row) => row.requestId));
  return [...live.shown.filter((row) => !onPages.has(row.requestId)), ...paged.map((row) => live.newer.get(row.requestId) ?? row)];
};
