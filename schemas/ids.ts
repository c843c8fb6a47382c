import { z } from 'zod';

/**
 * Every identifier is a short prefix that names its kind, an underscore, and an opaque body, so that an id
 * found in a log, a ticket or a URL says what it points at. The brand keeps one kind from standing for another.
 */
const id = <Brand extends string>(prefix: string, brand: Brand) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9A-Za-z-]{1,64}$`), `expected an id of the form ${prefix}_…`)
    .brand(brand);

export const UserId = id('usr', 'UserId');
export const TokenId = id('key', 'TokenId');
export const LeaseId = id('lse', 'LeaseId');
export const ChannelId = id('chn', 'ChannelId');
export const ChannelKeyId = id('chk', 'ChannelKeyId');
export const PriceListId = id('prl', 'PriceListId');
export const RequestId = id('req', 'RequestId');
export const AttemptId = id('att', 'AttemptId');
export const ExportId = id('exp', 'ExportId');
export const NotificationId = id('ntf', 'NotificationId');
export const ResponseId = id('resp', 'ResponseId');
export const ConversationId = id('conv', 'ConversationId');
/** As clients of OpenAI know it. */
export const FileId = z
  .string()
  .regex(/^file-[0-9A-Za-z-]{1,64}$/, 'expected an id of the form file-…')
  .brand('FileId');
export const BatchId = id('batch', 'BatchId');
export const TaskId = id('task', 'TaskId');
/** As clients of OpenAI know it. */
export const VectorStoreId = id('vs', 'VectorStoreId');
/** A file in a vector store, from when it was put there until it is taken out. */
export const VectorFileId = id('vsf', 'VectorFileId');
export const VectorBatchId = id('vsfb', 'VectorBatchId');

export type UserId = z.infer<typeof UserId>;
export type TokenId = z.infer<typeof TokenId>;
export type LeaseId = z.infer<typeof LeaseId>;
export type ChannelId = z.infer<typeof ChannelId>;
export type ChannelKeyId = z.infer<typeof ChannelKeyId>;
export type PriceListId = z.infer<typeof PriceListId>;
export type RequestId = z.infer<typeof RequestId>;
export type AttemptId = z.infer<typeof AttemptId>;
export type ExportId = z.infer<typeof ExportId>;
export type NotificationId = z.infer<typeof NotificationId>;
export type ResponseId = z.infer<typeof ResponseId>;
export type ConversationId = z.infer<typeof ConversationId>;
export type FileId = z.infer<typeof FileId>;
export type BatchId = z.infer<typeof BatchId>;
export type TaskId = z.infer<typeof TaskId>;
export type VectorStoreId = z.infer<typeof VectorStoreId>;
export type VectorFileId = z.infer<typeof VectorFileId>;
export type VectorBatchId = z.infer<typeof VectorBatchId>;

/** The id of a command; a client's `Idempotency-Key` may stand behind it, so any short printable text will do. */
export const CommandId = z.string().min(1).max(200).brand('CommandId');
export type CommandId = z.infer<typeof CommandId>;

export const EventId = z.uuid().brand('EventId');
export type EventId = z.infer<typeof EventId>;

/** `{category}-{id}`; the category is everything before the first hyphen. */
export const StreamName = z
  .string()
  .max(200)
  .regex(/^[a-z]+-[^\s]+$/, 'expected a stream name of the form category-id')
  .brand('StreamName');
export type StreamName = z.infer<typeof StreamName>;
