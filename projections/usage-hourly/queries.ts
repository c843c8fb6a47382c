import type { Instant } from '../../schemas/time.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { usageGroups, type UsageFilter, type UsageGroup, type UsageGrouping } from '../usage/usage-groups.ts';
import { hourTable } from './tables.ts';

const TABLE = { name: hourTable, bucket: 'hour', type: 'timestamptz' } as const;

/** Half-open; takes in every hour, in UTC, that it touches, since nothing finer is kept. */
export interface HourRange {
  readonly from: Instant;
  readonly to: Instant;
}

/** Usage by hour and name; with `only`, these names apart and all others together under `null`. */
export const usageByHour = (
  sql: Sql,
  filter: UsageFilter,
  range: HourRange,
  by: UsageGrouping,
  only?: readonly string[],
): Promise<readonly UsageGroup[]> => usageGroups(sql, TABLE, filter, range, { buckets: true, name: by, only });

const UTC_DAYS = { ...TABLE, shown: `date_trunc('day', hour, 'UTC')` } as const;

/** As {@link usageByHour}, added up to days in UTC: for accounts of many time zones at once. */
export const usageByUtcDay = (
  sql: Sql,
  filter: UsageFilter,
  range: HourRange,
  by: UsageGrouping,
  only?: readonly string[],
): Promise<readonly UsageGroup[]> => usageGroups(sql, UTC_DAYS, filter, range, { buckets: true, name: by, only });

/** Usage over the whole range by name, what was spent most on first. */
export const usageOverHours = (sql: Sql, filter: UsageFilter, range: HourRange, by: UsageGrouping): Promise<readonly UsageGroup[]> =>
  usageGroups(sql, TABLE, filter, range, { buckets: false, name: by });
