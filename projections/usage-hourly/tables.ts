import { rowsFrom } from '../engine/columns.ts';
import { tableName, type TableDefinition } from '../engine/projection.ts';
import { figureColumns, momentOf, type CallEnd } from '../usage/call-figures.ts';
import { ADD_FIGURES, FIGURE_DDL, FIGURE_NAMES, keptFigures } from '../usage/usage-columns.ts';

export const USAGE_HOURLY = { name: 'usage-hourly', version: 3 } as const;

export const hourTable = tableName(USAGE_HOURLY.name, USAGE_HOURLY.version);

export const usageHourlyTables: readonly TableDefinition[] = [
  {
    name: hourTable,
    partitions: { column: 'hour', momentOf: (event: CallEnd) => momentOf(event), storage: 'fillfactor = 50' },
    ddl: [
      `CREATE TABLE ${hourTable} (
         user_id text COLLATE "C" NOT NULL,
         hour timestamptz NOT NULL,
         token_id text COLLATE "C" NOT NULL,
         model text COLLATE "C" NOT NULL,
         -- Empty when no channel was tried.
         channel_id text COLLATE "C" NOT NULL,
         ${FIGURE_DDL},
         position bigint NOT NULL,
         PRIMARY KEY (user_id, hour, token_id, model, channel_id)
       ) PARTITION BY RANGE (hour)`,
      `CREATE INDEX ${hourTable}_by_hour ON ${hourTable} (hour)`,
    ],
  },
];

export const HOUR_FIGURES = figureColumns({ name: 'hour', type: 'timestamptz' });

/** In one order everywhere: writers of several partitions that met in another would wait for each other in a circle. */
export const WRITE_HOURS = `
  INSERT INTO ${hourTable} AS t (user_id, hour, token_id, model, channel_id, ${FIGURE_NAMES}, position)
  SELECT d.user_id, d.hour, d.token_id, d.model, d.channel_id, ${keptFigures('d')}, d.position FROM ${rowsFrom(HOUR_FIGURES, 'd')} ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (user_id, hour, token_id, model, channel_id) DO UPDATE SET ${ADD_FIGURES}, position = greatest(t.position, excluded.position)`;
