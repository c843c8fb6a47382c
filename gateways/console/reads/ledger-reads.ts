import { z } from 'zod';
import type { ConsoleReads, JournalFilter } from '../../ports/console-reads.ts';
import {
  journalEntries,
  ledgerAccounts,
  trialBalance,
  type EntryPlace,
  type JournalRow as Entry,
} from '../../../projections/journal/queries.ts';
import type { JournalRow } from '../../../schemas/http/ledger.ts';
import { given, rangeOf, userOf } from './asked.ts';
import { CursorName, CursorPosition, cursorsOf } from './cursor.ts';
import { readPage } from './page.ts';
import type { ReadsDeps } from './reads-deps.ts';

type Row = z.output<typeof JournalRow>;

/** Most entries that one event makes, and more than that. */
const MOST_ENTRIES = 100;

const journalCursors = cursorsOf(z.object({ position: CursorPosition, entry: z.int().min(0).max(MOST_ENTRIES) }));
const accountCursors = cursorsOf(CursorName);

/** Entries that an export reads at a time. */
const EXPORT_PAGE = 1_000;

const rowOf = ({ position, entry, ...rest }: Entry): Row => ({ ...rest, entryId: `${position}.${entry}`, position: position.toString() });

const placeOf = ({ position, entry }: Entry): EntryPlace => ({ position, entry });

export const ledgerReads = ({ sql }: ReadsDeps): Pick<ConsoleReads, 'journal' | 'journalRows' | 'ledgerAccounts' | 'trialBalance'> => {
  const entries = (
    { owner, range, view, kind, account, requestId }: JournalFilter,
    before: EntryPlace | undefined,
    limit: number,
  ): Promise<readonly Entry[]> =>
    journalEntries(sql, {
      userId: userOf(owner),
      view,
      ...rangeOf(range),
      ...given({ kind, account, requestId, before }),
      limit,
    });

  return {
    journal: async (filter, page) => {
      const { rows, nextCursor } = await readPage(page, journalCursors, (before, limit) => entries(filter, before, limit), placeOf);
      return { rows: rows.map(rowOf), nextCursor };
    },

    journalRows: async function* (filter) {
      let before: EntryPlace | undefined;
      for (;;) {
        const found = await entries(filter, before, EXPORT_PAGE);
        for (const entry of found) yield rowOf(entry);
        const last = found.at(-1);
        if (last === undefined || found.length < EXPORT_PAGE) return;
        before = placeOf(last);
      }
    },

    ledgerAccounts: async ({ owner, prefix }, page) => {
      const { rows, nextCursor } = await readPage(
        page,
        accountCursors,
        (after, limit) => ledgerAccounts(sql, { userId: userOf(owner), ...given({ prefix, after }), limit }),
        ({ account }) => account,
      );
      return { rows: [...rows], nextCursor };
    },

    trialBalance: async () => {
      const { position, groups, ...totals } = await trialBalance(sql);
      return { ...totals, position: position.toString(), groups: [...groups] };
    },
  };
};
