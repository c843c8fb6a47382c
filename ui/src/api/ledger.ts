import type {
  ChargeExplanation,
  EntryKind as EntryKindSchema,
  JournalRow,
  TrialBalance as TrialBalanceSchema,
} from '../../../schemas/http/ledger.ts';
import type { Done, Wire } from '../../../schemas/http/wire.ts';
import { addressOf, call } from './http.ts';
import type { Page, Paging, Span } from './span.ts';

export type JournalEntry = Wire<typeof JournalRow>;
export type EntryKind = Wire<typeof EntryKindSchema>;
export type Explanation = Wire<typeof ChargeExplanation>;
export type TrialBalance = Wire<typeof TrialBalanceSchema>;

export interface JournalFilter extends Span {
  readonly view?: 'statement' | 'entries';
  readonly kind?: EntryKind;
  readonly userId?: string;
  readonly account?: string;
  readonly requestId?: string;
}

export const listJournal = (filter: JournalFilter & Paging, signal?: AbortSignal): Promise<Page<JournalEntry>> =>
  call('GET', '/ledger/journal', { query: { ...filter }, signal });
/** A link, so that the browser streams the download to disk. */
export const journalCsvAddress = (filter: JournalFilter): string => addressOf('/ledger/journal.csv', { ...filter });
export const readTrialBalance = (signal?: AbortSignal): Promise<TrialBalance> => call('GET', '/ledger/trial-balance', { signal });
export const explainCharge = (requestId: string, signal?: AbortSignal): Promise<Explanation> =>
  call('GET', `/ledger/charges/${encodeURIComponent(requestId)}`, { signal });
/** @param name See `CallOptions`. */
export const refundCharge = (
  requestId: string,
  refund: { readonly amount: string; readonly reason: string },
  name: string,
): Promise<Wire<typeof Done>> => call('POST', `/ledger/charges/${encodeURIComponent(requestId)}/refund`, { body: refund, name });
