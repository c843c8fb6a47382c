import { z } from 'zod';
import { ExportedRows, ExportFormat } from '../../schemas/events/export.ts';
import { ExportId, UserId } from '../../schemas/ids.ts';
import { Instant } from '../../schemas/time.ts';
import { tableName } from '../engine/projection.ts';

export const EXPORTS = { name: 'exports', version: 1 } as const;

export const exportTable = tableName(EXPORTS.name, EXPORTS.version);

export const ExportDocument = z.object({
  exportId: ExportId,
  requestedBy: UserId.nullable(),
  rows: ExportedRows,
  format: ExportFormat,
  state: z.enum(['requested', 'completed', 'failed', 'cancelled', 'expired']),
  requestedAt: Instant,
  /** Where it was requested: what pages are ordered by. A decimal text, for it outgrows what a JSON number holds. */
  requestedPosition: z.string(),
  file: z.object({ position: z.string(), rows: z.int(), bytes: z.int(), sha256: z.string(), expiresAt: Instant }).nullable(),
  reason: z.string().nullable(),
});
export type ExportDocument = z.infer<typeof ExportDocument>;
