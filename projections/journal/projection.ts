import { entriesOf, JOURNAL_TYPES, type JournalEntry } from '../../domain/ledger/journal.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { tableProjection } from '../engine/projection.ts';
import { JOURNAL, journalTables, WRITE_ENTRIES } from './tables.ts';

/** What is left out is null. */
const rowOf = ({ position, recordedAt }: Pick<ProjectedEvent, 'position' | 'recordedAt'>, entry: JournalEntry, index: number): object => ({
  position: position.toString(),
  entry: index,
  recorded_at: recordedAt,
  kind: entry.kind,
  debit: entry.debit,
  credit: entry.credit,
  amount: entry.amount.toString(),
  user_id: entry.userId ?? undefined,
  change: entry.change.toString(),
  token_id: entry.tokenId ?? undefined,
  request_id: entry.requestId ?? undefined,
  lease_id: entry.leaseId ?? undefined,
  model: entry.model ?? undefined,
  note: entry.note,
});

/** Every movement of money in double entry. */
export const journal = tableProjection({
  ...JOURNAL,
  types: JOURNAL_TYPES,
  tables: journalTables,
  statements: (events) => {
    const rows: object[] = [];
    for (const event of events) {
      for (const [index, entry] of entriesOf(event).entries()) rows.push(rowOf(event, entry, index));
    }
    return rows.length === 0 ? [] : [{ text: WRITE_ENTRIES, values: [JSON.stringify(rows)] }];
  },
});
