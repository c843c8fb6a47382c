import { rowStatements } from '../engine/columns.ts';
import { tableProjection } from '../engine/projection.ts';
import { CALL_ENDS, GatheredFigures, momentOf, type CallEnd } from '../usage/call-figures.ts';
import { HOUR_FIGURES, USAGE_HOURLY, usageHourlyTables, WRITE_HOURS } from './tables.ts';

/** `2026-01-31T23`, which is where an instant in UTC has its hour. */
const HOUR_LENGTH = 13;

const hourOf = (event: CallEnd): string => `${momentOf(event).slice(0, HOUR_LENGTH)}:00Z`;

/** Calls by the hour, in UTC, in which they began. */
export const usageHourly = tableProjection({
  ...USAGE_HOURLY,
  types: CALL_ENDS,
  tables: usageHourlyTables,
  gather: () => {
    const figures = new GatheredFigures(hourOf);
    return { add: (event) => figures.add(event), statements: () => rowStatements(WRITE_HOURS, HOUR_FIGURES, figures.all) };
  },
});
