import { rowsFrom, type Column } from '../engine/columns.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { tableName, type TableDefinition } from '../engine/projection.ts';
import { figureColumns } from '../usage/call-figures.ts';
import { ADD_FIGURES, FIGURE_DDL, FIGURE_NAMES, summedFigures } from '../usage/usage-columns.ts';

export const USAGE_DAILY = { name: 'usage-daily', version: 2 } as const;

export const dayTable = tableName(USAGE_DAILY.name, USAGE_DAILY.version);
export const leaseDayTable = tableName(USAGE_DAILY.name, USAGE_DAILY.version, 'lease');

export const usageDailyTables: readonly TableDefinition[] = [
  {
    name: dayTable,
    ddl: [
      `CREATE TABLE ${dayTable} (
         user_id text COLLATE "C" NOT NULL,
         day date NOT NULL,
         token_id text COLLATE "C" NOT NULL,
         model text COLLATE "C" NOT NULL,
         -- Empty when no channel was tried.
         channel_id text COLLATE "C" NOT NULL,
         ${FIGURE_DDL},
         position bigint NOT NULL,
         PRIMARY KEY (user_id, day, token_id, model, channel_id)
       ) WITH (fillfactor = 50)`,
      `CREATE INDEX ${dayTable}_by_day ON ${dayTable} (day)`,
    ],
  },
  // A call does not say in which of its account's days it counts; the lease it was made on does.
  {
    name: leaseDayTable,
    ddl: [`CREATE TABLE ${leaseDayTable} (lease_id text COLLATE "C" PRIMARY KEY, day date NOT NULL, position bigint NOT NULL)`],
  },
];

export const LEASE_DAYS: readonly Column<ProjectedEvent<'LeaseOpened'>>[] = [
  { name: 'lease_id', type: 'text', of: ({ data }) => data.leaseId },
  { name: 'day', type: 'text', of: ({ data }) => data.day },
  { name: 'position', type: 'int8', of: ({ position }) => position },
];

export const WRITE_LEASE_DAYS = `
  INSERT INTO ${leaseDayTable} (lease_id, day, position) SELECT lease_id, day::date, position FROM ${rowsFrom(LEASE_DAYS, 'd')}
  ON CONFLICT (lease_id) DO NOTHING`;

export const DAY_FIGURES = figureColumns({ name: 'lease_id', type: 'text' });

/** A call whose lease was never opened has no day, and fails. In one order everywhere, as hours are. */
export const WRITE_DAYS = `
  INSERT INTO ${dayTable} AS t (user_id, day, token_id, model, channel_id, ${FIGURE_NAMES}, position)
  SELECT d.user_id, l.day, d.token_id, d.model, d.channel_id, ${summedFigures('d')}, max(d.position)
  FROM ${rowsFrom(DAY_FIGURES, 'd')} LEFT JOIN ${leaseDayTable} AS l USING (lease_id)
  GROUP BY d.user_id, l.day, d.token_id, d.model, d.channel_id ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (user_id, day, token_id, model, channel_id) DO UPDATE SET ${ADD_FIGURES}, position = greatest(t.position, excluded.position)`;
