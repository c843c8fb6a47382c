import type { EventType } from '../../schemas/events/catalogue.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { tableProjection, type Statement } from '../engine/projection.ts';
import { CALL_ENDS, figuresByKey, type CallEnd } from '../usage/call-figures.ts';
import { USAGE_DAILY, usageDailyTables, WRITE_DAYS, WRITE_LEASE_DAYS } from './tables.ts';

const TYPES = ['LeaseOpened', ...CALL_ENDS] as const satisfies readonly EventType[];

const leaseOf = ({ data }: CallEnd): string => data.leaseId;

const statements = (events: readonly ProjectedEvent<(typeof TYPES)[number]>[]): readonly Statement[] => {
  const ends: CallEnd[] = [];
  const leases: object[] = [];
  for (const event of events) {
    if (event.type === 'LeaseOpened')
      leases.push({ lease_id: event.data.leaseId, day: event.data.day, position: event.position.toString() });
    else ends.push(event);
  }
  const days = figuresByKey(ends, leaseOf, (event) => ({ lease_id: leaseOf(event) }));
  return [
    ...(leases.length === 0 ? [] : [{ text: WRITE_LEASE_DAYS, values: [JSON.stringify(leases)] }]),
    ...(ends.length === 0 ? [] : [{ text: WRITE_DAYS, values: [days] }]),
  ];
};

/** Calls by the day in which their charge counts against caps: that of their lease, in the account's own time zone. */
export const usageDaily = tableProjection({ ...USAGE_DAILY, types: TYPES, tables: usageDailyTables, statements });
