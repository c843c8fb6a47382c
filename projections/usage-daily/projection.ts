import type { EventType } from '../../schemas/events/catalogue.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { rowStatements } from '../engine/columns.ts';
import { tableProjection, type Statement } from '../engine/projection.ts';
import { CALL_ENDS, figuresOf, type CallEnd } from '../usage/call-figures.ts';
import { DAY_FIGURES, LEASE_DAYS, USAGE_DAILY, usageDailyTables, WRITE_DAYS, WRITE_LEASE_DAYS } from './tables.ts';

const TYPES = ['LeaseOpened', ...CALL_ENDS] as const satisfies readonly EventType[];

const leaseOf = ({ data }: CallEnd): string => data.leaseId;

function* statements(events: readonly ProjectedEvent<(typeof TYPES)[number]>[]): Generator<Statement> {
  const ends: CallEnd[] = [];
  const leases: ProjectedEvent<'LeaseOpened'>[] = [];
  for (const event of events) {
    if (event.type === 'LeaseOpened') leases.push(event);
    else ends.push(event);
  }
  yield* rowStatements(WRITE_LEASE_DAYS, LEASE_DAYS, leases);
  yield* rowStatements(WRITE_DAYS, DAY_FIGURES, figuresOf(ends, leaseOf));
}

/** Calls by the day in which their charge counts against caps: that of their lease, in the account's own time zone. */
export const usageDaily = tableProjection({ ...USAGE_DAILY, types: TYPES, tables: usageDailyTables, statements });
