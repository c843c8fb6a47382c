import { z } from 'zod';
import { BatchId, ChannelId, ChannelKeyId, FileId, TokenId, UserId } from '../ids.ts';
import { Instant } from '../time.ts';

/** What files are for that are kept here; all others lie at an upstream. */
export const KeptPurpose = z.enum(['assistants', 'user_data']);
export type KeptPurpose = z.infer<typeof KeptPurpose>;

export const fileEvents = {
  /** It lies at the channel's upstream, under another name, in the account of this one of the channel's keys. */
  FileUploaded: z.object({
    fileId: FileId,
    userId: UserId,
    tokenId: TokenId,
    channelId: ChannelId,
    channelKeyId: ChannelKeyId.nullable(),
    upstreamId: z.string().min(1).max(200),
    filename: z.string().max(300),
    purpose: z.string().max(64),
    bytes: z.int().nonnegative(),
    at: Instant,
    expiresAt: Instant.nullable(),
    /** What a batch made; absent where somebody uploaded it. */
    madeBy: BatchId.optional(),
  }),
  /** It is kept here, as ciphertext outside of the log. */
  FileKept: z.object({
    fileId: FileId,
    userId: UserId,
    tokenId: TokenId,
    filename: z.string().max(300),
    purpose: KeptPurpose,
    bytes: z.int().nonnegative(),
    at: Instant,
  }),
  FileDeleted: z.object({ fileId: FileId, userId: UserId, at: Instant }),
} as const;
