import type { EntryKind, JournalEntry } from '../../api/ledger.ts';

export const STATEMENT_KINDS: readonly EntryKind[] = ['charge', 'grant', 'refund', 'adjustment', 'expiry', 'overdrawn'];
export const ENTRY_KINDS: readonly EntryKind[] = [...STATEMENT_KINDS, 'hold', 'hold_returned', 'upstream_cost'];

/** Only a charge has a computation behind it that can be shown. */
export const isExplained = (entry: Pick<JournalEntry, 'kind' | 'requestId'>): entry is { kind: JournalEntry['kind']; requestId: string } =>
  entry.requestId !== null && (entry.kind === 'charge' || entry.kind === 'refund' || entry.kind === 'overdrawn');

/** `wallet:usr_1` → its kind and what it belongs to. */
export const accountParts = (account: string): { readonly kind: string; readonly owner: string } => {
  const colon = account.indexOf(':');
  return colon === -1 ? { kind: account, owner: '' } : { kind: account.slice(0, colon), owner: account.slice(colon + 1) };
};
