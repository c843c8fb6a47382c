import type { EventType } from '../../schemas/events/catalogue.ts';
import { GatheredRows, rowStatements } from '../engine/columns.ts';
import { tableProjection, type Gathering } from '../engine/projection.ts';
import { CALL_ENDS, GatheredFigures, type CallEnd } from '../usage/call-figures.ts';
import { DAY_FIGURES, LEASE_DAYS, USAGE_DAILY, usageDailyTables, WRITE_DAYS, WRITE_LEASE_DAYS } from './tables.ts';

const TYPES = ['LeaseOpened', ...CALL_ENDS] as const satisfies readonly EventType[];

const leaseOf = ({ data }: CallEnd): string => data.leaseId;

const gather = (): Gathering<(typeof TYPES)[number]> => {
  const leases = new GatheredRows(WRITE_LEASE_DAYS, LEASE_DAYS);
  const figures = new GatheredFigures(leaseOf);
  return {
    add: (event) => (event.type === 'LeaseOpened' ? leases.add(event) : figures.add(event)),
    *statements() {
      yield* leases.statements();
      yield* rowStatements(WRITE_DAYS, DAY_FIGURES, figures.all);
    },
  };
};

/** Calls by the day in which their charge counts against caps: that of their lease, in the account's own time zone. */
export const usageDaily = tableProjection({ ...USAGE_DAILY, types: TYPES, tables: usageDailyTables, gather });
