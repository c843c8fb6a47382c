import { z } from 'zod';
import { ChannelId, ExportId, RequestId, TokenId, UserId } from '../ids.ts';
import { Instant } from '../time.ts';

/** CSV for spreadsheets, JSON Lines for programs; both packed with gzip. */
export const ExportFormat = z.enum(['csv', 'jsonl']);
export type ExportFormat = z.infer<typeof ExportFormat>;

const Range = { from: Instant.optional(), to: Instant.optional() };
/** Whose rows, as it was allowed when it was asked. */
const Owner = z.union([UserId, z.literal('everybody')]);

/** Which rows, in the words of the console's queries. Calls that still run are in no export. */
export const ExportedRows = z.discriminatedUnion('of', [
  z.object({
    of: z.literal('requests'),
    owner: Owner,
    ...Range,
    tokenId: TokenId.optional(),
    channelId: ChannelId.optional(),
    model: z.string().max(200).optional(),
    endpoint: z.string().max(50).optional(),
    state: z.enum(['charged', 'released']).optional(),
    result: z.enum(['ok', 'failed']).optional(),
    errorCode: z.string().max(64).optional(),
    search: z.string().max(100).optional(),
  }),
  z.object({
    of: z.literal('journal'),
    owner: Owner,
    ...Range,
    view: z.enum(['statement', 'entries']),
    kind: z.string().max(40).optional(),
    account: z.string().max(250).optional(),
    requestId: RequestId.optional(),
  }),
]);
export type ExportedRows = z.infer<typeof ExportedRows>;

export const exportEvents = {
  ExportRequested: z.object({
    exportId: ExportId,
    /** `null` is the operator. */
    requestedBy: UserId.nullable(),
    rows: ExportedRows,
    format: ExportFormat,
    /** What upstreams charge is in it. */
    withCosts: z.boolean(),
  }),
  /** The file is there, until it expires. It holds what the log said at `position`. */
  ExportCompleted: z.object({
    exportId: ExportId,
    position: z.string().regex(/^(0|[1-9]\d{0,18})$/),
    rows: z.int().nonnegative(),
    /** Of the file, packed as it is; so is the digest. */
    bytes: z.int().nonnegative(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    expiresAt: Instant,
  }),
  /** It was given up; it is made all the same when an operator tries the parked work again. */
  ExportFailed: z.object({ exportId: ExportId, reason: z.string().max(500) }),
  ExportCancelled: z.object({ exportId: ExportId }),
  ExportExpired: z.object({ exportId: ExportId }),
} as const;
