import { tableName, type TableDefinition } from '../engine/projection.ts';
import { ADD_FIGURES, FIGURE_DDL, FIGURE_NAMES, FIGURE_TYPES } from '../usage/usage-columns.ts';

export const USAGE_HOURLY = { name: 'usage-hourly', version: 1 } as const;

export const hourTable = tableName(USAGE_HOURLY.name, USAGE_HOURLY.version);

export const usageHourlyTables: readonly TableDefinition[] = [
  {
    name: hourTable,
    ddl: [
      `CREATE TABLE ${hourTable} (
         user_id text NOT NULL,
         hour timestamptz NOT NULL,
         token_id text NOT NULL,
         model text NOT NULL,
         -- Empty when no channel was tried.
         channel_id text NOT NULL,
         ${FIGURE_DDL},
         position bigint NOT NULL,
         PRIMARY KEY (user_id, hour, token_id, model, channel_id)
       )`,
      `CREATE INDEX ${hourTable}_by_hour ON ${hourTable} (hour)`,
    ],
  },
];

export const WRITE_HOURS = `
  INSERT INTO ${hourTable} AS t (user_id, hour, token_id, model, channel_id, ${FIGURE_NAMES}, position)
  SELECT user_id, hour, token_id, model, channel_id, ${FIGURE_NAMES}, position
  FROM jsonb_to_recordset($1::jsonb) AS d(user_id text, hour timestamptz, token_id text, model text, channel_id text, ${FIGURE_TYPES}, position bigint)
  ON CONFLICT (user_id, hour, token_id, model, channel_id) DO UPDATE SET ${ADD_FIGURES}, position = greatest(t.position, excluded.position)`;
