import { JOURNAL_TYPES } from '../../domain/ledger/journal.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import { tableProjection } from '../engine/projection.ts';
import { callStatements } from './calls.ts';
import { entryStatements, type MoneyEvent } from './entries.ts';
import { JOURNAL, journalTables } from './tables.ts';

const TYPES = ['QuotaReserved', 'QuotaReleased', ...JOURNAL_TYPES] as const satisfies readonly EventType[];

/**
 * Every movement of money in double entry, and every call. The two are one: nearly all movements are charges of calls, and a row for each of a
 * call, its charge and its cost would make keeping them several times dearer.
 */
export const journal = tableProjection({
  ...JOURNAL,
  types: TYPES,
  tables: journalTables,
  *statements(events) {
    const calls: Parameters<typeof callStatements>[0][number][] = [];
    const movements: MoneyEvent[] = [];
    for (const event of events) {
      if (event.type === 'QuotaReserved' || event.type === 'QuotaReleased') calls.push(event);
      else {
        movements.push(event);
        if (event.type === 'QuotaDebited') calls.push(event);
      }
    }
    yield* entryStatements(movements);
    yield* callStatements(calls);
  },
});
