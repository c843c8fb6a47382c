import { tableName, type TableDefinition } from '../engine/projection.ts';
import { ADD_FIGURES, FIGURE_DDL, FIGURE_NAMES, FIGURE_TYPES, summedFigures } from '../usage/usage-columns.ts';

export const USAGE_DAILY = { name: 'usage-daily', version: 1 } as const;

export const dayTable = tableName(USAGE_DAILY.name, USAGE_DAILY.version);
export const leaseDayTable = tableName(USAGE_DAILY.name, USAGE_DAILY.version, 'lease');

export const usageDailyTables: readonly TableDefinition[] = [
  {
    name: dayTable,
    ddl: [
      `CREATE TABLE ${dayTable} (
         user_id text NOT NULL,
         day date NOT NULL,
         token_id text NOT NULL,
         model text NOT NULL,
         -- Empty when no channel was tried.
         channel_id text NOT NULL,
         ${FIGURE_DDL},
         position bigint NOT NULL,
         PRIMARY KEY (user_id, day, token_id, model, channel_id)
       )`,
      `CREATE INDEX ${dayTable}_by_day ON ${dayTable} (day)`,
    ],
  },
  // A call does not say in which of its account's days it counts; the lease it was made on does.
  { name: leaseDayTable, ddl: [`CREATE TABLE ${leaseDayTable} (lease_id text PRIMARY KEY, day date NOT NULL, position bigint NOT NULL)`] },
];

export const WRITE_LEASE_DAYS = `
  INSERT INTO ${leaseDayTable} (lease_id, day, position)
  SELECT lease_id, day, position FROM jsonb_to_recordset($1::jsonb) AS d(lease_id text, day date, position bigint)
  ON CONFLICT (lease_id) DO NOTHING`;

/** A call whose lease was never opened has no day, and fails. */
export const WRITE_DAYS = `
  INSERT INTO ${dayTable} AS t (user_id, day, token_id, model, channel_id, ${FIGURE_NAMES}, position)
  SELECT d.user_id, l.day, d.token_id, d.model, d.channel_id, ${summedFigures('d')}, max(d.position)
  FROM jsonb_to_recordset($1::jsonb) AS d(lease_id text, user_id text, token_id text, model text, channel_id text, ${FIGURE_TYPES}, position bigint)
  LEFT JOIN ${leaseDayTable} AS l USING (lease_id)
  GROUP BY d.user_id, l.day, d.token_id, d.model, d.channel_id
  ON CONFLICT (user_id, day, token_id, model, channel_id) DO UPDATE SET ${ADD_FIGURES}, position = greatest(t.position, excluded.position)`;
