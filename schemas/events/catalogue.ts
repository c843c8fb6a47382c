import type { z } from 'zod';
import { accountEvents } from './account.ts';
import { batchEvents } from './batch.ts';
import { callEvents } from './call.ts';
import { channelEvents } from './channel.ts';
import { commandEvents } from './command.ts';
import { conversationEvents } from './conversation.ts';
import { emailEvents } from './email.ts';
import { exportEvents } from './export.ts';
import { fileEvents } from './file.ts';
import { leaseEvents } from './lease.ts';
import { notificationEvents } from './notification.ts';
import { priceListEvents } from './price-list.ts';
import { responseEvents } from './response.ts';
import { settingsEvents } from './settings.ts';
import { taskEvents } from './task.ts';
import { tokenEvents } from './token.ts';
import { userEvents } from './user.ts';
import { vectorBatchEvents, vectorFileEvents, vectorStoreEvents } from './vector-store.ts';
import { workerEvents } from './worker.ts';

/** Every event this version writes, by stream category. */
export const eventsByCategory = {
  user: userEvents,
  token: tokenEvents,
  account: accountEvents,
  lease: leaseEvents,
  channel: channelEvents,
  pricelist: priceListEvents,
  settings: settingsEvents,
  call: callEvents,
  email: emailEvents,
  command: commandEvents,
  notification: notificationEvents,
  export: exportEvents,
  worker: workerEvents,
  response: responseEvents,
  conversation: conversationEvents,
  file: fileEvents,
  batch: batchEvents,
  task: taskEvents,
  vectorstore: vectorStoreEvents,
  vectorfile: vectorFileEvents,
  vectorbatch: vectorBatchEvents,
} as const;

export const eventSchemas = {
  ...userEvents,
  ...tokenEvents,
  ...accountEvents,
  ...leaseEvents,
  ...channelEvents,
  ...priceListEvents,
  ...settingsEvents,
  ...callEvents,
  ...emailEvents,
  ...commandEvents,
  ...notificationEvents,
  ...exportEvents,
  ...workerEvents,
  ...responseEvents,
  ...conversationEvents,
  ...fileEvents,
  ...batchEvents,
  ...taskEvents,
  ...vectorStoreEvents,
  ...vectorFileEvents,
  ...vectorBatchEvents,
} as const;

export type EventType = keyof typeof eventSchemas;

/** An event as deciders and projections know it: money is bigint, ids are branded. */
export type EventOf<Type extends EventType> = {
  readonly [T in Type]: { readonly type: T; readonly data: z.output<(typeof eventSchemas)[T]> };
}[Type];

export type DomainEvent = EventOf<EventType>;
export type UserEvent = EventOf<keyof typeof userEvents>;
export type TokenEvent = EventOf<keyof typeof tokenEvents>;
export type AccountEvent = EventOf<keyof typeof accountEvents>;
export type LeaseEvent = EventOf<keyof typeof leaseEvents>;
export type ChannelEvent = EventOf<keyof typeof channelEvents>;
export type ExportEvent = EventOf<keyof typeof exportEvents>;
export type NotificationEvent = EventOf<keyof typeof notificationEvents>;
export type ResponseEvent = EventOf<keyof typeof responseEvents>;
export type ConversationEvent = EventOf<keyof typeof conversationEvents>;
export type TaskEvent = EventOf<keyof typeof taskEvents>;
export type FileEvent = EventOf<keyof typeof fileEvents>;
export type BatchEvent = EventOf<keyof typeof batchEvents>;
export type VectorStoreEvent = EventOf<keyof typeof vectorStoreEvents>;
export type VectorFileEvent = EventOf<keyof typeof vectorFileEvents>;
export type VectorBatchEvent = EventOf<keyof typeof vectorBatchEvents>;
export type PriceListEvent = EventOf<keyof typeof priceListEvents>;

/**
 * The schema version that each type is written in now. A change of shape raises it here and adds an upcaster to
 * `domain/upcasters` and a golden file to `test/golden/events`.
 */
export const currentSchemaVersion: { readonly [T in EventType]: number } = Object.fromEntries(
  Object.keys(eventSchemas).map((type) => [type, 1]),
) as { [T in EventType]: number };
