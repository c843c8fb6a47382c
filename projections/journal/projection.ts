import { JOURNAL_TYPES } from '../../domain/ledger/journal.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import { tableProjection } from '../engine/projection.ts';
import { GatheredCalls } from './calls.ts';
import { GatheredEntries } from './entries.ts';
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
  gather: () => {
    const entries = new GatheredEntries();
    const calls = new GatheredCalls();
    return {
      add: (event) => {
        if (event.type !== 'QuotaReserved' && event.type !== 'QuotaReleased') entries.add(event);
        if (event.type === 'QuotaReserved' || event.type === 'QuotaReleased' || event.type === 'QuotaDebited') calls.add(event);
      },
      *statements() {
        yield* entries.statements();
        yield* calls.statements();
      },
    };
  },
});
