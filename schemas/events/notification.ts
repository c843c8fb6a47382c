import { z } from 'zod';
import { ChannelId, NotificationId, UserId } from '../ids.ts';
import { AmountText } from '../money.ts';

/** Whom a notification is for: one user, or whoever is an administrator when looking. */
export const Audience = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('user'), userId: UserId }),
  z.object({ kind: z.literal('administrators') }),
]);
export type Audience = z.infer<typeof Audience>;

/** What a notification tells. The words for it belong to whoever shows it, in the reader's language. */
export const Tidings = z.discriminatedUnion('kind', [
  /** The balance, what leases hold included, fell below the threshold. */
  z.object({ kind: z.literal('low_balance'), userId: UserId, balance: AmountText, threshold: AmountText }),
  z.object({
    kind: z.literal('channel_disabled'),
    channelId: ChannelId,
    name: z.string().max(100),
    by: z.enum(['operator', 'platform']),
    reason: z.string().max(500),
  }),
  /** What is left at a channel's provider fell below what its operator wants to be warned of; decimal numbers of the provider's own currency. */
  z.object({
    kind: z.literal('channel_balance_low'),
    channelId: ChannelId,
    name: z.string().max(100),
    currency: z.string().max(3),
    amount: z.string().max(40),
    threshold: z.string().max(40),
  }),
]);
export type Tidings = z.infer<typeof Tidings>;

export const notificationEvents = {
  NotificationRaised: z.object({ notificationId: NotificationId, audience: Audience, tidings: Tidings }),
  /** By one reader; others of the audience have not read it. */
  NotificationRead: z.object({ notificationId: NotificationId, userId: UserId }),
  /** The webhook's receiver has answered that it has it. */
  NotificationDelivered: z.object({ notificationId: NotificationId, attempts: z.int().positive() }),
} as const;
