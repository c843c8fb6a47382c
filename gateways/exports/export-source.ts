import { z } from 'zod';
import type { ExportPage, ExportSource } from '../../commands/ports/export-source.ts';
import type { PositionBoard } from '../../projections/engine/position-board.ts';
import { journalEntries, type EntryPlace, type JournalRow as Entry } from '../../projections/journal/queries.ts';
import { JOURNAL } from '../../projections/journal/tables.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';
import { requests, type RequestRow as Call } from '../../projections/request-log/queries.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import { EntryKind, JournalRow } from '../../schemas/http/ledger.ts';
import { RequestRow } from '../../schemas/http/requests.ts';
import { CSV_START } from '../console/csv.ts';
import { JOURNAL_CSV_HEAD, journalCsvLine } from '../console/journal-csv.ts';
import { REQUEST_CSV_HEAD, requestCsvLine } from './request-csv.ts';

export interface ExportSourceDeps {
  readonly sql: Sql;
  readonly board: Pick<PositionBoard, 'waitFor' | 'positionOf'>;
  /** Rows that are in memory at once. */
  readonly page?: number;
}

type Asked = EventOf<'ExportRequested'>['data'];
type Rows<Of extends Asked['rows']['of']> = Extract<Asked['rows'], { of: Of }>;

const USUAL_PAGE = 1_000;

/** How long a file waits for its own request to be in the read models, before it is tried again later. */
const OWN_REQUEST_MS = 10_000;

/** A key's name is no part of a file: it may be another tomorrow, and the file of one position is one file. */
const Line = RequestRow.omit({ tokenName: true });
type RequestLine = z.output<typeof Line>;

const beyond = (position: Position): Position => (position + 1n) as Position;

const entryKindOf = (kind: string | undefined): { readonly kind?: z.output<typeof EntryKind> } => {
  const parsed = EntryKind.safeParse(kind);
  return parsed.success ? { kind: parsed.data } : {};
};

const journalRow = ({ position, entry, ...rest }: Entry): z.output<typeof JournalRow> => ({
  ...rest,
  entryId: `${position}.${entry}`,
  position: position.toString(),
});

const requestLine = (
  { position: _position, leaseId: _leaseId, recordedAt: _recordedAt, held: _held, upstreamCost, ...call }: Call,
  withCosts: boolean,
): RequestLine => ({ ...call, upstreamCost: withCosts ? upstreamCost : null });

/** What is asked of the query besides whose rows and how many. */
const conditionsOf = <Asks extends { readonly of: string; readonly owner: string }>({
  of: _of,
  owner: _owner,
  ...asked
}: Asks): Omit<Asks, 'of' | 'owner'> =>
  Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)) as Omit<Asks, 'of' | 'owner'>;

export const exportSource = ({ sql, board, page = USUAL_PAGE }: ExportSourceDeps): ExportSource => {
  async function* journalPages(asked: Rows<'journal'>, position: Position): AsyncGenerator<readonly z.output<typeof JournalRow>[]> {
    const { kind, ...conditions } = conditionsOf(asked);
    let before: EntryPlace = { position: beyond(position), entry: 0 };
    for (;;) {
      const found = await journalEntries(sql, {
        ...conditions,
        ...entryKindOf(kind),
        userId: asked.owner === 'everybody' ? 'all' : asked.owner,
        before,
        limit: page,
      });
      yield found.map(journalRow);
      const last = found.at(-1);
      if (last === undefined || found.length < page) return;
      before = { position: last.position, entry: last.entry };
    }
  }

  async function* requestPages(asked: Rows<'requests'>, withCosts: boolean, position: Position): AsyncGenerator<readonly RequestLine[]> {
    let before = beyond(position);
    for (;;) {
      const found = await requests(
        sql,
        { ...conditionsOf(asked), userId: asked.owner === 'everybody' ? 'all' : asked.owner },
        { before, limit: page },
      );
      // A call that runs will be another row when it has ended, at a later position: it is none of this moment's.
      yield found.filter(({ state }) => state !== 'running').map((call) => requestLine(call, withCosts));
      const last = found.at(-1);
      if (last === undefined || found.length < page) return;
      before = last.position;
    }
  }

  async function* textOf<Row>(
    pages: AsyncIterable<readonly Row[]>,
    head: string,
    lineOf: (row: Row) => string,
  ): AsyncGenerator<ExportPage> {
    if (head !== '') yield { rows: 0, text: head };
    for await (const rows of pages) if (rows.length > 0) yield { rows: rows.length, text: rows.map(lineOf).join('') };
  }

  return {
    readyAt: async (position) => {
      if (!(await board.waitFor(JOURNAL.name, position, OWN_REQUEST_MS))) return null;
      const reached = board.positionOf(JOURNAL.name);
      return reached > position ? reached : position;
    },

    pages: ({ rows, format, withCosts }, position) => {
      const isCsv = format === 'csv';
      if (rows.of === 'journal')
        return textOf(
          journalPages(rows, position),
          isCsv ? CSV_START + JOURNAL_CSV_HEAD : '',
          isCsv ? journalCsvLine : (row) => `${JSON.stringify(z.encode(JournalRow, row))}\n`,
        );
      return textOf(
        requestPages(rows, withCosts, position),
        isCsv ? CSV_START + REQUEST_CSV_HEAD : '',
        isCsv ? requestCsvLine : (row) => `${JSON.stringify(z.encode(Line, row))}\n`,
      );
    },
  };
};
