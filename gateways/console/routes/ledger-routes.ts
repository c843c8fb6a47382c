import { z } from 'zod';
import { RequestId } from '../../../schemas/ids.ts';
import * as ledger from '../../../schemas/http/ledger.ts';
import { AfterQuery } from '../../../schemas/http/wire.ts';
import type { Route } from '../route.ts';

const RequestParams = z.object({ requestId: RequestId });
const OneQuery = z.object(AfterQuery);

export const ledgerRoutes = {
  listJournal: {
    method: 'get',
    path: '/ledger/journal',
    auth: 'user',
    tag: 'Ledger',
    summary: 'Journal entries with the running balance, newest first.',
    query: ledger.JournalQuery,
    answer: 'json',
    response: ledger.JournalPage,
  },
  exportJournal: {
    method: 'get',
    path: '/ledger/journal.csv',
    auth: 'user',
    tag: 'Ledger',
    summary: 'The same as CSV.',
    query: ledger.JournalCsvQuery,
    answer: 'csv',
    response: ledger.JournalRow,
  },
  listLedgerAccounts: {
    method: 'get',
    path: '/ledger/accounts',
    auth: 'user',
    tag: 'Ledger',
    summary: 'Ledger accounts and what stands on them.',
    query: ledger.LedgerAccountsQuery,
    answer: 'json',
    response: ledger.LedgerAccountPage,
  },
  readTrialBalance: {
    method: 'get',
    path: '/ledger/trial-balance',
    auth: 'admin',
    tag: 'Ledger',
    summary: 'Debits and credits over everything.',
    query: OneQuery,
    answer: 'json',
    response: ledger.TrialBalance,
  },
  explainCharge: {
    method: 'get',
    path: '/ledger/charges/:requestId',
    auth: 'user',
    tag: 'Ledger',
    summary: 'How a charge was computed.',
    params: RequestParams,
    query: OneQuery,
    answer: 'json',
    response: ledger.ChargeExplanation,
  },
  refundCharge: {
    method: 'post',
    path: '/ledger/charges/:requestId/refund',
    auth: 'admin',
    tag: 'Ledger',
    summary: 'Give back a charge or a part of it.',
    params: RequestParams,
    body: ledger.RefundCharge,
    answer: 'json',
    response: ledger.ChargeRefunded,
  },
} as const satisfies Record<string, Route>;
