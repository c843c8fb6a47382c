import type { Day } from '../../schemas/time.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { usageGroups, type UsageFilter, type UsageGroup, type UsageGrouping } from '../usage/usage-groups.ts';
import { dayTable } from './tables.ts';

const TABLE = { name: dayTable, bucket: 'day', type: 'date' } as const;

/** Half-open, in days of each account's own time zone. */
export interface DayRange {
  readonly from: Day;
  readonly to: Day;
}

/** Usage by day and name; with `only`, these names apart and all others together under `null`. */
export const usageByDay = (
  sql: Sql,
  filter: UsageFilter,
  range: DayRange,
  by: UsageGrouping,
  only?: readonly string[],
): Promise<readonly UsageGroup[]> => usageGroups(sql, TABLE, filter, range, { buckets: true, name: by, only });

/** Usage over the whole range by name, what was spent most on first. */
export const usageOverDays = (sql: Sql, filter: UsageFilter, range: DayRange, by: UsageGrouping): Promise<readonly UsageGroup[]> =>
  usageGroups(sql, TABLE, filter, range, { buckets: false, name: by });
