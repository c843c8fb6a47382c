import { entriesOf, JOURNAL_TYPES } from '../../domain/ledger/journal.ts';
import { tableProjection } from '../engine/projection.ts';
import { JOURNAL, journalTables, WRITE_ENTRIES } from './tables.ts';

/** Every movement of money in double entry. */
export const journal = tableProjection({
  ...JOURNAL,
  types: JOURNAL_TYPES,
  tables: journalTables,
  statements: (events) => {
    const rows = events.flatMap((event) =>
      entriesOf(event).map(({ kind, debit, credit, amount, userId, change, tokenId, requestId, leaseId, model, note }, entry) => ({
        position: event.position.toString(),
        entry,
        recorded_at: event.recordedAt,
        kind,
        debit,
        credit,
        amount: amount.toString(),
        user_id: userId,
        change: change.toString(),
        token_id: tokenId,
        request_id: requestId,
        lease_id: leaseId,
        model,
        note,
      })),
    );
    return rows.length === 0 ? [] : [{ text: WRITE_ENTRIES, values: [JSON.stringify(rows)] }];
  },
});
