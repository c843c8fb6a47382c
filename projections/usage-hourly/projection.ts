import { tableProjection } from '../engine/projection.ts';
import { CALL_ENDS, figuresByKey, momentOf, type CallEnd } from '../usage/call-figures.ts';
import { USAGE_HOURLY, usageHourlyTables, WRITE_HOURS } from './tables.ts';

/** `2026-01-31T23`, which is where an instant in UTC has its hour. */
const HOUR_LENGTH = 13;

const hourOf = (event: CallEnd): string => momentOf(event).slice(0, HOUR_LENGTH);

/** Calls by the hour, in UTC, in which they began. */
export const usageHourly = tableProjection({
  ...USAGE_HOURLY,
  types: CALL_ENDS,
  tables: usageHourlyTables,
  statements: (events) => [
    {
      text: WRITE_HOURS,
      values: [figuresByKey(events, hourOf, (event) => ({ hour: `${hourOf(event)}:00Z` }))],
    },
  ],
});
