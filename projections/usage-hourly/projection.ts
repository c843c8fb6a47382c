import { tableProjection } from '../engine/projection.ts';
import { CALL_ENDS, channelOf, figuresByKey, momentOf } from '../usage/call-figures.ts';
import { USAGE_HOURLY, usageHourlyTables, WRITE_HOURS } from './tables.ts';

/** `2026-01-31T23`, which is where an instant in UTC has its hour. */
const HOUR_LENGTH = 13;

/** Calls by the hour, in UTC, in which they began. */
export const usageHourly = tableProjection({
  ...USAGE_HOURLY,
  types: CALL_ENDS,
  tables: usageHourlyTables,
  statements: (events) => [
    {
      text: WRITE_HOURS,
      values: [
        figuresByKey(events, (event) => ({
          user_id: event.data.userId,
          hour: `${momentOf(event).slice(0, HOUR_LENGTH)}:00Z`,
          token_id: event.data.tokenId,
          model: event.data.model,
          channel_id: channelOf(event),
        })),
      ],
    },
  ],
});
