import { z } from 'zod';
import { ExportedRows, ExportFormat } from '../events/export.ts';
import { ExportId } from '../ids.ts';
import { Instant } from '../time.ts';
import { JournalFilters } from './ledger.ts';
import { RequestFilters } from './requests.ts';
import { AfterQuery, Done, PageQuery, PositionText, pageOf } from './wire.ts';

/** Which rows, by the filters of their own lists. Calls that still run are in no file. */
export const RequestExport = z.discriminatedUnion('of', [
  z.object({ ...RequestFilters, of: z.literal('requests'), format: ExportFormat, state: z.enum(['charged', 'released']).optional() }),
  z.object({ ...JournalFilters, of: z.literal('journal'), format: ExportFormat }),
]);
export const ExportRequested = z.object({ exportId: ExportId, position: PositionText.nullable() });

export const ExportState = z.enum(['requested', 'completed', 'failed', 'cancelled', 'expired']);

export const ExportView = z.object({
  exportId: ExportId,
  rows: ExportedRows,
  format: ExportFormat,
  state: ExportState,
  requestedAt: Instant,
  /** Rows written so far while it is being made. */
  done: z.int().nullable(),
  /** What the file holds: the log as it was at `position`. Bytes and digest are of the file as it is downloaded. */
  file: z
    .object({ name: z.string(), position: PositionText, rows: z.int(), bytes: z.int(), sha256: z.string(), expiresAt: Instant })
    .nullable(),
  /** Why it failed. */
  reason: z.string().nullable(),
});

/** The caller’s own, newest first. */
export const ExportQuery = z.object(PageQuery);
export const ExportPage = pageOf(ExportView);
export const OneExportQuery = z.object(AfterQuery);
export const ExportDone = Done;
