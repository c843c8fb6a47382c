import type { z } from 'zod';
import { toDollarText } from '../../domain/ledger/money.ts';
import type { JournalRow } from '../../schemas/http/ledger.ts';
import { csvLine } from './csv.ts';

type Row = z.output<typeof JournalRow>;

const COLUMNS: readonly (readonly [string, (row: Row) => string | null])[] = [
  ['entry', (row) => row.entryId],
  ['recorded_at', (row) => row.recordedAt],
  ['kind', (row) => row.kind],
  ['debit', (row) => row.debit],
  ['credit', (row) => row.credit],
  ['amount_usd', (row) => toDollarText(row.amount)],
  ['change_usd', (row) => toDollarText(row.change)],
  ['balance_usd', (row) => (row.balance === null ? null : toDollarText(row.balance))],
  ['user', (row) => row.userId],
  ['key', (row) => row.tokenId],
  ['request', (row) => row.requestId],
  ['lease', (row) => row.leaseId],
  ['model', (row) => row.model],
  ['note', (row) => row.note],
];

export const JOURNAL_CSV_HEAD = csvLine(COLUMNS.map(([name]) => name));

/** Amounts are exact: nine decimals are nano-dollars. */
export const journalCsvLine = (row: Row): string => csvLine(COLUMNS.map(([, read]) => read(row)));
