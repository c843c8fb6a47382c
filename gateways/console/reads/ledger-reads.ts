import type { z } from 'zod';
import {
  journalEntries,
  ledgerAccounts,
  trialBalance,
  type EntryPlace,
  type JournalRow as Entry,
} from '../../../projections/journal/queries.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import type { JournalRow } from '../../../schemas/http/ledger.ts';
import type { ConsoleReads, JournalFilter } from '../../ports/console-reads.ts';
import { instantsOf, pageOfRows, userIdOf, type ReadsDeps } from './reads-deps.ts';

/** Rows of an export that are fetched at a time. */
const EXPORT_PAGE = 1_000;

const entryIdOf = ({ position, entry }: EntryPlace): string => `${position}.${entry}`;

const placeOf = (cursor: string | undefined): EntryPlace | undefined => {
  const match = /^(\d{1,19})\.(\d{1,4})$/.exec(cursor ?? '');
  return match === null ? undefined : { position: BigInt(match[1] ?? 0) as Position, entry: Number(match[2]) };
};

const rowOf = ({ position, entry, ...row }: Entry): z.output<typeof JournalRow> => ({
  ...row,
  entryId: entryIdOf({ position, entry }),
  position: position.toString(),
});

type LedgerReads = Pick<ConsoleReads, 'journal' | 'journalRows' | 'ledgerAccounts' | 'trialBalance'>;

export const ledgerReads = ({ sql }: ReadsDeps): LedgerReads => {
  const entries = (
    { owner, range, view, kind, account, requestId }: JournalFilter,
    before: EntryPlace | undefined,
    limit: number,
  ): Promise<readonly Entry[]> =>
    journalEntries(sql, {
      userId: userIdOf(owner),
      view,
      limit,
      ...instantsOf(range),
      ...(kind === undefined ? {} : { kind }),
      ...(account === undefined ? {} : { account }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(before === undefined ? {} : { before }),
    });

  return {
    journal: async (filter, page) => {
      const { rows, nextCursor } = pageOfRows(await entries(filter, placeOf(page.cursor), page.limit + 1), page, entryIdOf);
      return { rows: rows.map(rowOf), nextCursor };
    },

    async *journalRows(filter) {
      let before: EntryPlace | undefined;
      for (;;) {
        const page = await entries(filter, before, EXPORT_PAGE);
        yield* page.map(rowOf);
        before = page.at(-1);
        if (page.length < EXPORT_PAGE) return;
      }
    },

    ledgerAccounts: async ({ owner, prefix }, page) => {
      const found = await ledgerAccounts(sql, {
        userId: userIdOf(owner),
        limit: page.limit + 1,
        ...(prefix === undefined ? {} : { prefix }),
        ...(page.cursor === undefined ? {} : { after: page.cursor }),
      });
      return pageOfRows(found, page, ({ account }) => account);
    },

    trialBalance: async () => {
      const { groups, position, ...totals } = await trialBalance(sql);
      return { position: position.toString(), groups: [...groups], ...totals };
    },
  };
};
