import { exportFileName } from '../../../domain/export/export.ts';
import type { ConsoleReads } from '../../ports/console-reads.ts';
import { countUnfinishedExports, exportById, listExports } from '../../../projections/exports/queries.ts';
import type { ExportDocument } from '../../../projections/exports/tables.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import { given } from './asked.ts';
import { CursorPosition, cursorsOf } from './cursor.ts';
import { readPage } from './page.ts';
import type { ReadsDeps } from './reads-deps.ts';

const cursors = cursorsOf(CursorPosition);

type Found = Awaited<ReturnType<ConsoleReads['exports']>>['rows'][number];

const viewOf = ({ exportId, requestedBy, rows, format, state, requestedAt, file, reason }: ExportDocument): Found => ({
  exportId,
  requestedBy,
  rows,
  format,
  state,
  requestedAt,
  done: null,
  file: file === null ? null : { ...file, name: exportFileName(exportId, format) },
  reason,
});

export const exportReads = ({ sql }: ReadsDeps): Pick<ConsoleReads, 'exports' | 'export' | 'unfinishedExports'> => ({
  exports: async (requestedBy, page) => {
    const { rows, nextCursor } = await readPage(
      page,
      cursors,
      (before, limit) => listExports(sql, requestedBy, { ...given({ before }), limit }),
      ({ requestedPosition }) => BigInt(requestedPosition) as Position,
    );
    return { rows: rows.map(viewOf), nextCursor };
  },

  export: async (exportId) => {
    const found = await exportById(sql, exportId);
    return found === null ? null : viewOf(found);
  },

  unfinishedExports: (requestedBy) => countUnfinishedExports(sql, requestedBy),
});
